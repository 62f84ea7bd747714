/** Copy, regenerate, judge: what can be done with an answer. */
import { ActionIcon, Button, Group, Tooltip } from "@mantine/core";
import {
  IconChevronLeft,
  IconChevronRight,
  IconMessagePlus,
  IconRefresh,
  IconStar,
  IconStarFilled,
  IconThumbDown,
  IconThumbDownFilled,
  IconThumbUp,
  IconThumbUpFilled,
  type Icon,
} from "@tabler/icons-react";
import { useState } from "react";

import { CopyButton } from "../../components/CopyButton";
import classes from "./AnswerActions.module.css";
import { Details } from "./Details";
import { newest, thumbs, useFeedback } from "./feedback";
import { FeedbackForm } from "./FeedbackForm";
import { Given } from "./Given";
import type { Answer } from "./turns";

interface AnswerActionsProps {
  conversationId: string;
  answer: Answer & { recordId: string };
  alternatives: Answer[];
  shown: number;
  onShow: (index: number) => void;
  /** Absent where another answer cannot be asked for. */
  onRegenerate?: () => void;
}

export function AnswerActions(props: AnswerActionsProps) {
  const { conversationId, answer, alternatives, shown, onShow, onRegenerate } = props;
  const { recordId, feedback, text } = answer;
  const [form, setForm] = useState(false);
  const { give, take } = useFeedback(conversationId, recordId);
  const judged = thumbs(feedback);

  function judge(up: boolean) {
    const before = newest(feedback, "thumbs");
    if (judged === up && before) {
      take.mutate(before);
      return;
    }
    give.mutate({ metric: "thumbs", value: up });
    setForm(!up);
  }

  return (
    <div className={classes.actions}>
      <Group gap={2}>
        {alternatives.length > 1 && (
          <Switch shown={shown} total={alternatives.length} onShow={onShow} />
        )}
        <CopyButton text={text} label="Copy the answer" size="md" />
        {onRegenerate && (
          <Action label="Another answer" icon={IconRefresh} onClick={onRegenerate} />
        )}
        <Action
          label={judged === true ? "Take back: good answer" : "Good answer"}
          icon={judged === true ? IconThumbUpFilled : IconThumbUp}
          pressed={judged === true}
          onClick={() => judge(true)}
        />
        <Action
          label={judged === false ? "Take back: bad answer" : "Bad answer"}
          icon={judged === false ? IconThumbDownFilled : IconThumbDown}
          pressed={judged === false}
          onClick={() => judge(false)}
        />
        <Action
          label="Comment or correct"
          icon={IconMessagePlus}
          pressed={form}
          onClick={() => setForm(!form)}
        />
        <Details recordId={recordId} />
        {alternatives.length > 1 && (
          <Prefer
            conversationId={conversationId}
            answer={answer}
            alternatives={alternatives}
            shown={shown}
          />
        )}
      </Group>
      {form ? (
        <FeedbackForm
          answer={answer}
          pending={give.isPending}
          onClose={() => setForm(false)}
          onGive={(metric, value) => {
            const before = newest(feedback, metric);
            if (before && metric === "comment") take.mutate(before); // comments would pile up
            give.mutate({ metric, value });
          }}
        />
      ) : (
        <Given feedback={feedback} onEdit={() => setForm(true)} onTake={(one) => take.mutate(one)} />
      )}
    </div>
  );
}

interface ActionProps {
  label: string;
  icon: Icon;
  pressed?: boolean;
  onClick: () => void;
}

function Action({ label, icon: Glyph, pressed, onClick }: ActionProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        size="md"
        aria-label={label}
        aria-pressed={pressed}
        color={pressed ? "pine" : "gray"}
        onClick={onClick}
      >
        <Glyph size={17} stroke={1.6} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

interface SwitchProps {
  shown: number;
  total: number;
  onShow: (index: number) => void;
}

function Switch({ shown, total, onShow }: SwitchProps) {
  return (
    <Group gap={0} mr={6} wrap="nowrap" role="group" aria-label="Answers to this message">
      <ActionIcon
        size="sm"
        aria-label="Previous answer"
        disabled={shown === 0}
        onClick={() => onShow(shown - 1)}
      >
        <IconChevronLeft size={16} aria-hidden />
      </ActionIcon>
      <span className={classes.position}>
        {shown + 1} / {total}
      </span>
      <ActionIcon
        size="sm"
        aria-label="Next answer"
        disabled={shown === total - 1}
        onClick={() => onShow(shown + 1)}
      >
        <IconChevronRight size={16} aria-hidden />
      </ActionIcon>
    </Group>
  );
}

type PreferProps = Pick<
  AnswerActionsProps,
  "conversationId" | "answer" | "alternatives" | "shown"
>;

/** A preference holds over one other answer: the one before, or for the first the one after. */
function Prefer({ conversationId, answer, alternatives, shown }: PreferProps) {
  const other = alternatives[shown === 0 ? 1 : shown - 1];
  const { give, take } = useFeedback(conversationId, answer.recordId);
  const mine = newest(answer.feedback, "preference");
  const theirs = alternatives.map(({ feedback }) => newest(feedback, "preference"));

  async function prefer() {
    if (mine) {
      await take.mutateAsync(mine);
      return;
    }
    await Promise.all(theirs.map((one) => one && take.mutateAsync(one)));
    if (other?.recordId) give.mutate({ metric: "preference", value: { over: other.recordId } });
  }

  return (
    <Button
      size="compact-sm"
      ml={6}
      variant={mine ? "light" : "default"}
      aria-pressed={mine !== undefined}
      leftSection={
        mine ? <IconStarFilled size={14} aria-hidden /> : <IconStar size={14} aria-hidden />
      }
      disabled={!other?.recordId}
      onClick={() => void prefer().catch(() => undefined)} // the mutation has told
    >
      {mine ? "You prefer this one" : "I prefer this one"}
    </Button>
  );
}
