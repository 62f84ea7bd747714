/** What came back: the answer, each of several, what went wrong, or that there is nothing. */
import { Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";

import type { CallRecord } from "../../api/types";
import type { PassagePlace } from "../../components/PassageDrawer";
import { Cited } from "../chat/cited";
import { AnswerText } from "./AnswerText";
import classes from "./Answer.module.css";
import { annotationsOf, answerOf, choicesOf } from "./reading";

interface AnswerProps {
  record: CallRecord;
  onOpen: (place: PassagePlace) => void;
}

export function Answer({ record, onOpen }: AnswerProps) {
  const { error } = record;
  const choices = Array.from({ length: choicesOf(record) }, (_, index) => answerOf(record, index));
  const answered = choices.some((text) => text !== "");
  return (
    <section aria-label="Answer">
      {choices.map((text, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- choices are known by their number
        <div key={index} className={classes.choice}>
          {choices.length > 1 && (
            <Text size="xs" c="dimmed" mb={4}>
              Choice {index + 1} of {choices.length}
            </Text>
          )}
          {text !== "" && (
            <AnswerText
              text={text}
              cited={new Cited(text, annotationsOf(record, index))}
              onOpen={onOpen}
            />
          )}
        </div>
      ))}
      {!answered && error === null && <Text c="dimmed">{noAnswer(record)}</Text>}
      {error !== null && (
        <div className={classes.failure} role="alert">
          <IconAlertTriangle size={19} stroke={1.6} aria-hidden />
          <span>{error}</span>
        </div>
      )}
    </section>
  );
}

function noAnswer({ kind, status }: CallRecord): string {
  if (kind === "embedding") return "An embedding has no text.";
  return status === "cancelled" ? "It was stopped before it began to answer." : "The answer is empty.";
}
