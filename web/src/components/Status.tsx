/** A state as a dot and a word; the dot breathes while something is under way. */
import { Text } from "@mantine/core";

import classes from "./Status.module.css";

export type Tone = "good" | "busy" | "idle" | "bad";

interface StatusProps {
  tone: Tone;
  /** Without a label the dot alone; then give it a `title`. */
  label?: string;
  title?: string;
}

export function Status({ tone, label, title }: StatusProps) {
  return (
    <Text component="span" size="sm" className={classes.status} title={title}>
      <span className={classes.dot} data-tone={tone} aria-hidden={label !== undefined} />
      {label}
    </Text>
  );
}
