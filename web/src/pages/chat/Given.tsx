/** The comment and the correction that the person gave, each to be changed or taken back. */
import { ActionIcon, Text, Tooltip } from "@mantine/core";
import { IconPencil, IconTrash } from "@tabler/icons-react";

import type { Feedback, Metric } from "../../api/types";
import { newest } from "./feedback";
import classes from "./Given.module.css";

interface GivenProps {
  feedback: Feedback[];
  onEdit: () => void;
  onTake: (feedback: Feedback) => void;
}

const SHOWN: { metric: Metric; label: string }[] = [
  { metric: "comment", label: "Your comment" },
  { metric: "correction", label: "Your correction" },
];

export function Given({ feedback, onEdit, onTake }: GivenProps) {
  return SHOWN.map(({ metric, label }) => {
    const one = newest(feedback, metric);
    if (one === undefined) return null;
    return (
      <section key={metric} className={`${classes.given} rise`} aria-label={label}>
        <div className={classes.text}>
          <Text size="xs" c="dimmed" fw={500}>
            {label}
          </Text>
          <Text size="sm" lineClamp={4} className={classes.value}>
            {String(one.value)}
          </Text>
        </div>
        <Tooltip label="Change">
          <ActionIcon size="md" aria-label={`Change: ${label}`} onClick={onEdit}>
            <IconPencil size={15} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Take back">
          <ActionIcon size="md" aria-label={`Take back: ${label}`} onClick={() => onTake(one)}>
            <IconTrash size={15} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </section>
    );
  });
}
