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
      <PageHeader title={title} description={description} actions={actions} back={back} />
      {children}
    </Box>
  );
}

export function PageHeader({ title, description, actions, back }: Omit<PageProps, "children">) {
  return (
    <header className={classes.header}>
      {back}
      <Group justify="space-between" align="flex-end" gap="md">
        <div>
          <Title order={1}>{title}</Title>
          {description && (
            <Text c="dimmed" mt={6} maw="62ch">
              {description}
            </Text>
          )}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
    </header>
  );
}
