/** What an endpoint's worker printed last; new lines appear by themselves. */
import { ActionIcon, Drawer, Group, Skeleton, Stack, Text, Tooltip } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, type UIEvent } from "react";

import { api, call } from "../../api/client";
import { CopyButton } from "../../components/CopyButton";
import { ErrorState } from "../../components/ErrorState";
import classes from "./LogsDrawer.module.css";

const LINES = 200;
const FOLLOW_MS = 2000;
const NEAR_PX = 40; // who has scrolled up further than this is reading

interface LogsDrawerProps {
  /** Whose logs; null: closed. */
  name: string | null;
  onClose: () => void;
}

export function LogsDrawer({ name, onClose }: LogsDrawerProps) {
  return (
    <Drawer
      opened={name !== null}
      onClose={onClose}
      size={760}
      title={`Logs of ${name ?? ""}`}
      classNames={{ title: classes.title, content: classes.drawer, header: classes.header, body: classes.body }}
      closeButtonProps={{ "aria-label": "Close the logs" }}
    >
      {name !== null && <Logs name={name} />}
    </Drawer>
  );
}

function Logs({ name }: { name: string }) {
  const end = useRef<HTMLPreElement>(null);
  const logs = useQuery({
    queryKey: ["endpoints", name, "logs"],
    queryFn: () =>
      call(
        api.GET("/v1/endpoints/{name_or_id}/logs", {
          params: { path: { name_or_id: name }, query: { lines: LINES } },
        }),
      ),
    staleTime: 0,
    refetchInterval: ({ state }) => state.error === null && FOLLOW_MS,
  });
  const text = logs.data?.text ?? "";

  const following = useRef(true);

  function scrolled({ currentTarget: log }: UIEvent<HTMLElement>) {
    following.current = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
  }

  useEffect(() => {
    if (following.current) end.current?.scrollTo({ top: end.current.scrollHeight });
  }, [text]);

  if (logs.isError) return <ErrorState error={logs.error} retry={() => void logs.refetch()} />;
  if (logs.isPending) {
    return (
      <Stack gap="sm" aria-label="Loading the logs">
        {[70, 92, 84, 60].map((width) => (
          <Skeleton key={width} height={12} width={`${width}%`} />
        ))}
      </Stack>
    );
  }
  return (
    <>
      <Group justify="space-between" mb="sm">
        <Text size="sm" c="dimmed">
          The last {LINES} lines
        </Text>
        <Group gap={2}>
          <CopyButton text={text} label="Copy the logs" size="lg" />
          <Tooltip label="Refresh">
            <ActionIcon
              size="lg"
              aria-label="Refresh the logs"
              onClick={() => void logs.refetch()}
            >
              <IconRefresh size={17} stroke={1.6} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      {text.trim() === "" ? (
        <Text c="dimmed" ta="center" py={56}>
          It has printed nothing yet.
        </Text>
      ) : (
        <pre
          ref={end}
          className={classes.log}
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrolled by the keyboard
          tabIndex={0}
          aria-label={`Log of ${name}`}
          onScroll={scrolled}
        >
          {text}
        </pre>
      )}
    </>
  );
}
