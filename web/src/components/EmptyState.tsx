/** What a list shows when there is nothing in it: what would be here, and how to get it. */
import { Stack, Text, ThemeIcon, Title } from "@mantine/core";
import type { Icon } from "@tabler/icons-react";
import type { ReactNode } from "react";

interface EmptyStateProps {
  icon: Icon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

export function EmptyState({ icon: Glyph, title, children, action }: EmptyStateProps) {
  return (
    <Stack align="center" gap="sm" py={72} px="md" ta="center" className="rise">
      <ThemeIcon size={52} radius="xl" variant="light" color="gray">
        <Glyph size={26} stroke={1.5} aria-hidden />
      </ThemeIcon>
      <Title order={3} mt={4}>
        {title}
      </Title>
      {children && (
        <Text c="dimmed" maw="46ch">
          {children}
        </Text>
      )}
      {action}
    </Stack>
  );
}
