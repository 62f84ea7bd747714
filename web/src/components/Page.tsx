/** The frame of every page but chat: a header, a readable width, room around it. */
import { Box, Group, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";

import classes from "./Page.module.css";

interface PageProps {
  title: string;
  description?: ReactNode;
  /** Buttons at the right of the title. */
  actions?: ReactNode;
  /** Above the title: a link back, on a page about one thing. */
  back?: ReactNode;
  children: ReactNode;
}

export function Page({ title, description, actions, back, children }: PageProps) {
  useDocumentTitle(`${title} · Headstart`);
  return (
    <Box className={classes.page}>
      <header className={classes.header}>
        {back}
        <div className={classes.top}>
          <Title order={1} className={classes.title}>
            {title}
          </Title>
          {actions && <Group gap="xs">{actions}</Group>}
        </div>
        {description && (
          <Text component="div" c="dimmed" mt={6} maw="66ch">
            {description}
          </Text>
        )}
      </header>
      {children}
    </Box>
  );
}
