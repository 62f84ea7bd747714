/** A comment, and what the answer should have been. */
import { Button, Group, Textarea } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { useState, type FormEvent } from "react";

import type { Metric } from "../../api/types";
import { notifyDone } from "../../components/notify";
import { newest } from "./feedback";
import classes from "./FeedbackForm.module.css";
import type { Answer } from "./turns";

interface FeedbackFormProps {
  answer: Answer;
  pending: boolean;
  onGive: (metric: Metric, value: string) => void;
  onClose: () => void;
}

export function FeedbackForm({ answer, pending, onGive, onClose }: FeedbackFormProps) {
  const saved = {
    comment: String(newest(answer.feedback, "comment")?.value ?? ""),
    correction: String(newest(answer.feedback, "correction")?.value ?? answer.text),
  };
  const [comment, setComment] = useState(saved.comment);
  const [correction, setCorrection] = useState(saved.correction);
  const given = {
    comment: comment.trim() !== "" && comment !== saved.comment,
    correction: correction.trim() !== "" && correction !== saved.correction,
  };

  useHotkeys([["Escape", onClose]], []);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (given.comment) onGive("comment", comment.trim());
    if (given.correction) onGive("correction", correction.trim());
    notifyDone("Thank you. It is kept with this answer, for the model to learn from.");
    onClose();
  }

  return (
    <form className={`${classes.form} rise`} onSubmit={submit}>
      <Textarea
        label="What should be different?"
        placeholder="It cites the wrong page; the tone is too formal…"
        autosize
        minRows={1}
        maxRows={6}
        autoFocus
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <Textarea
        label="What should the answer have been?"
        description="Change the text to the answer that you would have liked"
        autosize
        minRows={4}
        maxRows={18}
        value={correction}
        onChange={(event) => setCorrection(event.currentTarget.value)}
      />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={pending} disabled={!given.comment && !given.correction}>
          Save
        </Button>
      </Group>
    </form>
  );
}
