/** The conversations in the sidebar, by age; each can be renamed and deleted. */
import { ActionIcon, Button, Menu, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { IconDots, IconPencil, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { NavLink, useMatch, useNavigate } from "react-router";

import { messageOf } from "../../api/errors";
import type { Conversation } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { notifyError } from "../../components/notify";
import classes from "./ConversationList.module.css";
import { useConversations, useDelete, useRename } from "./conversations";
import { byAge } from "./age";

export function ConversationList() {
  const list = useConversations();
  if (list.isPending) {
    return (
      <Stack gap={10} p={16} aria-label="Loading conversations">
        {[70, 92, 60, 80].map((width) => (
          <Skeleton key={width} height={12} width={`${width}%`} radius="sm" />
        ))}
      </Stack>
    );
  }
  if (list.isError) {
    return (
      <Text size="sm" c="dimmed" p={16} role="alert">
        {messageOf(list.error)}
      </Text>
    );
  }
  if (list.data.length === 0) {
    return (
      <Text size="sm" c="dimmed" p={20}>
        Conversations that you have will be listed here.
      </Text>
    );
  }
  return (
    <nav className={classes.list} aria-label="Conversations">
      {byAge(list.data).map(({ label, conversations }) => (
        <section key={label}>
          <Text className={classes.age}>{label}</Text>
          {conversations.map((conversation) => (
            <Entry key={conversation.id} conversation={conversation} />
          ))}
        </section>
      ))}
      {list.hasNextPage && (
        <Button
          variant="subtle"
          color="gray"
          size="xs"
          fullWidth
          loading={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          Older
        </Button>
      )}
    </nav>
  );
}

function Entry({ conversation }: { conversation: Conversation }) {
  const { id } = conversation;
  const title = conversation.title || "New conversation";
  const [renaming, setRenaming] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const remove = useDelete();
  const navigate = useNavigate();
  const open = useMatch("/chat/:conversationId")?.params.conversationId === id;

  if (renaming) return <Rename id={id} title={title} onDone={() => setRenaming(false)} />;
  return (
    <div className={classes.entry} data-open={open || undefined}>
      <NavLink to={`/chat/${id}`} className={classes.link} title={title}>
        {title}
      </NavLink>
      <Menu>
        <Menu.Target>
          <ActionIcon size="sm" className={classes.more} aria-label={`Options of “${title}”`}>
            <IconDots size={16} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconPencil size={15} aria-hidden />}
            onClick={() => setRenaming(true)}
          >
            Rename
          </Menu.Item>
          <Menu.Item
            color="red"
            leftSection={<IconTrash size={15} aria-hidden />}
            onClick={() => setDeleting(true)}
          >
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Confirm
        opened={deleting}
        title="Delete this conversation?"
        verb="Delete"
        pending={remove.isPending}
        onClose={() => setDeleting(false)}
        onConfirm={() =>
          remove.mutate(id, {
            onSuccess: () => {
              setDeleting(false);
              if (open) void navigate("/");
            },
            onError: (error) => notifyError(error, "The conversation was not deleted"),
          })
        }
      >
        “{title}” leaves this list. The records of its answers stay under Records.
      </Confirm>
    </div>
  );
}

function Rename({ id, title, onDone }: { id: string; title: string; onDone: () => void }) {
  const [value, setValue] = useState(title);
  const rename = useRename();

  function finish() {
    const wanted = value.trim();
    if (wanted !== "" && wanted !== title) {
      rename.mutate({ id, title: wanted }, { onError: (error) => notifyError(error) });
    }
    onDone();
  }

  return (
    <TextInput
      size="xs"
      aria-label="Title of the conversation"
      value={value}
      autoFocus
      onFocus={(event) => event.currentTarget.select()}
      onChange={(event) => setValue(event.currentTarget.value)}
      onBlur={finish}
      onKeyDown={(event) => {
        if (event.key === "Enter") finish();
        if (event.key === "Escape") onDone();
      }}
    />
  );
}
