/** Where one can go: a new chat, the other pages, the conversations; and who is signed in. */
import { ActionIcon, Button, CloseButton, Group, Kbd, ScrollArea, Text, Tooltip } from "@mantine/core";
import { IconEdit, IconLogout } from "@tabler/icons-react";
import { NavLink, useNavigate } from "react-router";

import { useSession, useSignOut } from "../api/session";
import { ConversationList } from "../pages/chat/ConversationList";
import { pages } from "../pages/pages";
import { Brand } from "./Brand";
import { ColorSchemeToggle } from "./ColorSchemeToggle";
import { MODIFIER } from "./shortcuts";
import classes from "./Sidebar.module.css";

export function Sidebar({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  return (
    <>
      <Group className={classes.top} justify="space-between">
        <Brand />
        <CloseButton hiddenFrom="sm" onClick={onClose} aria-label="Close the navigation" />
      </Group>
      <div className={classes.new}>
        <Button
          fullWidth
          variant="default"
          classNames={{ label: classes.newLabel }}
          leftSection={<IconEdit size={17} stroke={1.7} aria-hidden />}
          rightSection={
            <Kbd size="xs" visibleFrom="sm">
              {MODIFIER}K
            </Kbd>
          }
          onClick={() => {
            void navigate("/");
            onClose();
          }}
        >
          New chat
        </Button>
      </div>
      <nav className={classes.pages} aria-label="Pages">
        {pages.slice(1).map(({ path, label, icon: Glyph }) => (
          <NavLink key={path} to={path} className={classes.link}>
            <Glyph size={18} stroke={1.6} aria-hidden />
            {label}
          </NavLink>
        ))}
      </nav>
      <ScrollArea className={classes.conversations} type="scroll" scrollbarSize={6}>
        <ConversationList />
      </ScrollArea>
      <Person />
    </>
  );
}

function Person() {
  const { data: session } = useSession();
  const signOut = useSignOut();
  return (
    <Group className={classes.person} justify="space-between" wrap="nowrap">
      <Text size="sm" truncate>
        {session?.name}
        <Text span c="dimmed" size="xs" ml={8}>
          {session?.role}
        </Text>
      </Text>
      <Group gap={2} wrap="nowrap">
        <ColorSchemeToggle />
        <Tooltip label="Sign out">
          <ActionIcon size="lg" aria-label="Sign out" onClick={() => signOut.mutate()}>
            <IconLogout size={18} stroke={1.6} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Group>
    </Group>
  );
}
