/** What people said about an answer, and the means to say it here. */
import { ActionIcon, Button, Group, Text, Title, Tooltip } from "@mantine/core";
import {
  IconMessagePlus,
  IconThumbDown,
  IconThumbDownFilled,
  IconThumbUp,
  IconThumbUpFilled,
  IconTrash,
} from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router";

import type { CallRecord, Feedback } from "../../api/types";
import { ago } from "../../format";
import { newest, thumbs } from "../chat/feedback";
import { FeedbackForm } from "../chat/FeedbackForm";
import { FeedbackIcon, titleOf } from "./FeedbackIcons";
import classes from "./FeedbackSection.module.css";
import { annotationsOf } from "./reading";
import { useRecordFeedback } from "./record";

export function FeedbackSection({ record, answer }: { record: CallRecord; answer: string }) {
  const { id, feedback } = record;
  const [form, setForm] = useState(false);
  const { give, take } = useRecordFeedback(id);
  const judged = thumbs(feedback);
  const busy = give.isPending || take.isPending;

  function judge(up: boolean) {
    const before = newest(feedback, "thumbs");
    if (judged === up && before) take.mutate(before);
    else give.mutate({ metric: "thumbs", value: up });
  }

  return (
    <section aria-label="Feedback">
      <Group justify="space-between" gap="xs">
        <Title order={3}>Feedback</Title>
        <Group gap={4}>
          <Tooltip label="Good answer">
            <ActionIcon
              size="lg"
              aria-label="Good answer"
              aria-pressed={judged === true}
              color={judged === true ? "pine" : "gray"}
              disabled={busy}
              onClick={() => judge(true)}
            >
              {judged === true ? (
                <IconThumbUpFilled size={18} aria-hidden />
              ) : (
                <IconThumbUp size={18} stroke={1.6} aria-hidden />
              )}
            </ActionIcon>
          </Tooltip>
          <Tooltip label="Bad answer">
            <ActionIcon
              size="lg"
              aria-label="Bad answer"
              aria-pressed={judged === false}
              color={judged === false ? "pine" : "gray"}
              disabled={busy}
              onClick={() => judge(false)}
            >
              {judged === false ? (
                <IconThumbDownFilled size={18} aria-hidden />
              ) : (
                <IconThumbDown size={18} stroke={1.6} aria-hidden />
              )}
            </ActionIcon>
          </Tooltip>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconMessagePlus size={16} stroke={1.6} aria-hidden />}
            aria-expanded={form}
            onClick={() => setForm(!form)}
          >
            Comment or correct
          </Button>
        </Group>
      </Group>
      {form && (
        <FeedbackForm
          answer={{
            recordId: id,
            text: answer,
            annotations: annotationsOf(record),
            feedback,
            incomplete: record.status === "cancelled",
            live: null,
          }}
          pending={give.isPending}
          onGive={(metric, value) => give.mutate({ metric, value })}
          onClose={() => setForm(false)}
        />
      )}
      {feedback.length === 0 && !form && (
        <Text size="sm" c="dimmed" mt={4}>
          Nobody has said anything about this answer.
        </Text>
      )}
      {feedback.length > 0 && (
        <ul className={classes.given} aria-label="Given feedback">
          {feedback.map((one) => (
            <Given key={one.id} feedback={one} onTake={() => take.mutate(one)} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Given({ feedback, onTake }: { feedback: Feedback; onTake: () => void }) {
  return (
    <li>
      <FeedbackIcon feedback={feedback} size={17} className={classes.sign} />
      <div className={classes.body}>
        <Text size="sm" fw={500}>
          {titleOf(feedback)}
          <span className={classes.time}>{ago(feedback.created_at)}</span>
        </Text>
        <Value feedback={feedback} />
      </div>
      <Tooltip label="Take back">
        <ActionIcon size="md" aria-label={`Take back: ${titleOf(feedback)}`} onClick={onTake}>
          <IconTrash size={15} stroke={1.6} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </li>
  );
}

function Value({ feedback: { metric, value } }: { feedback: Feedback }) {
  if (metric === "thumbs") return null;
  if (metric === "preference" && typeof value === "object" && value !== null && "over" in value) {
    return (
      <Text size="sm" c="dimmed">
        Preferred over <Link to={`/records/${String(value.over)}`}>another answer</Link>
      </Text>
    );
  }
  return (
    <Text size="sm" c="dimmed" className={classes.text}>
      {typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value)}
    </Text>
  );
}
