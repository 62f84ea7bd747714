/** What takes the place of content that could not be loaded: the reason, and another try. */
import { Button, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";

import { messageOf } from "../api/errors";

interface ErrorStateProps {
  error: unknown;
  title?: string;
  retry?: () => void;
}

export function ErrorState({ error, title = "This could not be loaded", retry }: ErrorStateProps) {
  return (
    <Stack align="center" gap="sm" py={64} px="md" ta="center" role="alert">
      <ThemeIcon size={52} radius="xl" variant="light" color="red">
        <IconAlertTriangle size={26} stroke={1.5} aria-hidden />
      </ThemeIcon>
      <Title order={3} mt={4}>
        {title}
      </Title>
      <Text c="dimmed" maw="52ch">
        {messageOf(error)}
      </Text>
      {retry && (
        <Button
          variant="default"
          leftSection={<IconRefresh size={16} aria-hidden />}
          onClick={retry}
        >
          Try again
        </Button>
      )}
    </Stack>
  );
}
