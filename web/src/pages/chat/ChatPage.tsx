/** The conversation with a model or an app. */
import { ActionIcon, Button, Indicator, Skeleton, Stack, Tooltip } from "@mantine/core";
import { useDisclosure, useDocumentTitle } from "@mantine/hooks";
import {
  IconAdjustmentsHorizontal,
  IconArrowDown,
  IconCube,
  IconMessageOff,
} from "@tabler/icons-react";
import { useState } from "react";
import { Link, useParams } from "react-router";

import { ApiError } from "../../api/errors";
import type { FileCitation } from "../../api/types";
import { EmptyState } from "../../components/EmptyState";
import { ErrorState } from "../../components/ErrorState";
import { PassageDrawer, type PassagePlace } from "../../components/PassageDrawer";
import classes from "./ChatPage.module.css";
import { Composer } from "./Composer";
import { ModelPicker } from "./ModelPicker";
import { pick, useChatModels } from "./models";
import { changed, useParameters } from "./parameters";
import { ParametersDrawer } from "./ParametersDrawer";
import { Readiness } from "./Readiness";
import { Transcript } from "./Transcript";
import { useChat } from "./useChat";
import { useFollow } from "./useFollow";
import { Welcome } from "./Welcome";

export default function ChatPage() {
  const { conversationId } = useParams();
  const [parameters, setParameters] = useParameters();
  const [drawer, { open, close }] = useDisclosure(false);
  const [drafts, setDrafts] = useState<Record<string, string>>({});
  const [passage, setPassage] = useState<PassagePlace | null>(null);
  const models = useChatModels();
  const model = pick(models.data ?? [], parameters.model);
  const chat = useChat(conversationId, model, parameters);
  const follow = useFollow(chat.turns, conversationId);
  useDocumentTitle(chat.turns[0] ? `${chat.turns[0].question.slice(0, 60)} · Headstart` : "Headstart");

  const draftKey = conversationId ?? "";
  const draft = drafts[draftKey] ?? "";
  const setDraft = (text: string) => setDrafts((all) => ({ ...all, [draftKey]: text }));

  async function send(text: string) {
    follow.toEnd();
    setDraft("");
    if (!(await chat.send(text))) setDraft(text);
  }

  return (
    <div className={classes.page} data-beside={passage !== null || undefined}>
      <header className={classes.bar}>
        <ModelPicker
          models={models.data ?? []}
          value={model}
          onChange={(id) => setParameters({ model: id })}
        />
        <Tooltip label="Parameters">
          <Indicator disabled={changed(parameters) === 0} size={7} offset={7} color="pine">
            <ActionIcon size="lg" aria-label="Parameters" onClick={open}>
              <IconAdjustmentsHorizontal size={19} stroke={1.6} aria-hidden />
            </ActionIcon>
          </Indicator>
        </Tooltip>
      </header>
      <main className={classes.column}>
        <Body chat={chat} models={models} model={model} onAsk={send} onOpen={(citation, quotes) => setPassage({ ...citation, quotes })} />
      </main>
      <footer className={classes.foot}>
        {follow.away && chat.turns.length > 0 && (
          <ActionIcon
            className={classes.toEnd}
            variant="default"
            radius="xl"
            size="lg"
            aria-label="To the end of the conversation"
            onClick={follow.toEnd}
          >
            <IconArrowDown size={17} aria-hidden />
          </ActionIcon>
        )}
        {model && <Readiness model={model} />}
        <Composer
          key={draftKey}
          value={draft}
          onChange={setDraft}
          last={chat.turns.at(-1)?.question ?? null}
          placeholder={model ? `Ask ${model.id}` : "Deploy a model first"}
          writing={chat.busy}
          disabled={model === null}
          onSend={() => void send(draft.trim())}
          onStop={chat.stop}
        />
      </footer>
      <ParametersDrawer
        opened={drawer}
        parameters={parameters}
        onChange={setParameters}
        onClose={close}
      />
      <PassageDrawer place={passage} onClose={() => setPassage(null)} />
    </div>
  );
}

interface BodyProps {
  chat: ReturnType<typeof useChat>;
  models: ReturnType<typeof useChatModels>;
  model: ReturnType<typeof pick>;
  onAsk: (question: string) => Promise<void>;
  onOpen: (citation: FileCitation, quotes: string[]) => void;
}

function Body({ chat, models, model, onAsk, onOpen }: BodyProps) {
  const { conversationId } = useParams();
  const { items, turns } = chat;
  if (conversationId !== undefined && turns.length > 0) {
    return (
      <Transcript
        conversationId={conversationId}
        turns={turns}
        shownOf={chat.shownOf}
        onShow={chat.show}
        onOpen={onOpen}
        onRegenerate={chat.regenerate}
        onRetry={chat.retry}
        busy={chat.busy}
      />
    );
  }
  if (conversationId !== undefined && items.isError) {
    const gone = items.error instanceof ApiError && items.error.status === 404;
    if (!gone) return <ErrorState error={items.error} retry={() => void items.refetch()} />;
    return (
      <EmptyState
        icon={IconMessageOff}
        title="This conversation does not exist"
        action={
          <Button component={Link} to="/" variant="default" mt="xs">
            New chat
          </Button>
        }
      >
        It may have been deleted, or it belongs to someone else.
      </EmptyState>
    );
  }
  if (models.isError) {
    return (
      <ErrorState
        title="The models could not be loaded"
        error={models.error}
        retry={() => void models.refetch()}
      />
    );
  }
  if (models.isPending || (conversationId !== undefined && items.isPending)) return <Loading />;
  if (model === null) {
    return (
      <EmptyState
        icon={IconCube}
        title="No model is deployed yet"
        action={
          <Button component={Link} to="/hub" mt="xs">
            Choose a model
          </Button>
        }
      >
        Pick an open model from the hub. It is downloaded once and then runs on this machine.
      </EmptyState>
    );
  }
  return <Welcome model={model} onAsk={(question) => void onAsk(question)} />;
}

function Loading() {
  return (
    <Stack gap="md" aria-label="Loading">
      <Skeleton height={42} width="46%" radius="lg" style={{ alignSelf: "flex-end" }} />
      {[96, 100, 88, 92, 54].map((width) => (
        <Skeleton key={width} height={14} width={`${width}%`} />
      ))}
    </Stack>
  );
}
