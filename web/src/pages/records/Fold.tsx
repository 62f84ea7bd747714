/** A section that opens and closes, with a button that copies what is in it. */
import { Title, UnstyledButton } from "@mantine/core";
import { IconChevronRight } from "@tabler/icons-react";
import { useId, useState, type ReactNode } from "react";

import { CopyButton } from "../../components/CopyButton";
import classes from "./Fold.module.css";

interface FoldProps {
  title: string;
  hint?: string;
  copy: string;
  opened?: boolean;
  children: ReactNode;
}

export function Fold({ title, hint, copy, opened: first = false, children }: FoldProps) {
  const [opened, setOpened] = useState(first);
  const id = useId();
  return (
    <section aria-label={title}>
      <div className={classes.head}>
        <UnstyledButton
          className={classes.toggle}
          aria-expanded={opened}
          aria-controls={id}
          onClick={() => setOpened(!opened)}
        >
          <IconChevronRight size={17} stroke={1.8} aria-hidden className={classes.arrow} />
          <Title order={3}>{title}</Title>
          {hint && <span className={classes.hint}>{hint}</span>}
        </UnstyledButton>
        <CopyButton text={copy} label={`Copy: ${title}`} size="md" />
      </div>
      <div id={id} hidden={!opened}>
        {children}
      </div>
    </section>
  );
}
