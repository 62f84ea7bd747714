/** The folders that a store follows: bring it up to date with them, and see what that did. */
import { Button, Text } from "@mantine/core";
import { IconFolder, IconRefresh } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import { api, call } from "../../api/client";
import { messageOf } from "../../api/errors";
import type { StoreSync, VectorStore } from "../../api/types";
import { refreshStores } from "./stores";
import classes from "./Follows.module.css";

const POLL_MS = 700;

interface FollowsProps {
  store: VectorStore;
  editable: boolean;
}

export function Follows({ store, editable }: FollowsProps) {
  const start = useMutation({
    mutationFn: () =>
      call(
        api.POST("/v1/vector_stores/{store_id}/sync", {
          params: { path: { store_id: store.id } },
          body: {},
        }),
      ),
  });
  const followed = useQuery({
    queryKey: ["sync", store.id, start.data?.id],
    queryFn: () =>
      call(
        api.GET("/v1/vector_stores/{store_id}/sync/{sync_id}", {
          params: { path: { store_id: store.id, sync_id: start.data?.id ?? "" } },
        }),
      ),
    enabled: start.data !== undefined,
    refetchInterval: ({ state }) => (state.data && isOver(state.data) ? false : POLL_MS),
  });
  const sync = followed.data ?? start.data;
  const running = start.isPending || (sync !== undefined && !isOver(sync) && !followed.isError);
  const error = start.error ?? followed.error ?? sync?.error;

  useEffect(() => {
    if (sync !== undefined) void refreshStores();
  }, [sync]);

  return (
    <section className={classes.follows} aria-label="Followed folders">
      <IconFolder size={20} stroke={1.5} aria-hidden className={classes.icon} />
      <div className={classes.text}>
        {store.paths.map((path) => (
          <code key={path}>{path}</code>
        ))}
        <Text size="sm" c="dimmed" aria-live="polite">
          {running ? progressOf(sync) : outcomeOf(sync)}
        </Text>
        {error != null && (
          <Text size="sm" c="red" role="alert">
            {messageOf(error)}
          </Text>
        )}
        {!running && sync?.report && <Problems report={sync.report} />}
      </div>
      {editable && (
        <Button
          variant="default"
          loading={running}
          leftSection={<IconRefresh size={16} stroke={1.6} aria-hidden />}
          onClick={() => start.mutate()}
        >
          Sync
        </Button>
      )}
    </section>
  );
}

type Report = NonNullable<StoreSync["report"]>;

function Problems({ report }: { report: Report }) {
  const problems = [...report.failed, ...report.skipped];
  if (problems.length === 0) return null;
  return (
    <ul className={classes.problems}>
      {problems.map(({ path, reason }) => (
        <li key={path}>
          <code>{path}</code> {reason}
        </li>
      ))}
    </ul>
  );
}

function isOver({ status }: StoreSync): boolean {
  return status !== "queued" && status !== "in_progress";
}

function progressOf(sync: StoreSync | undefined): string {
  const { done, total } = sync?.progress ?? { done: 0, total: null };
  return total ? `Reading, ${done} of ${total} files` : "Looking for changes";
}

function outcomeOf(sync: StoreSync | undefined): string {
  if (!sync?.report) return "New and changed files are read at a sync; deleted ones are removed.";
  const { added, updated, removed, unchanged, failed, skipped } = sync.report;
  const counts: [number, string][] = [
    [added, "added"],
    [updated, "updated"],
    [removed, "removed"],
    [failed.length, "failed"],
    [skipped.length, "skipped"],
    [unchanged, "unchanged"],
  ];
  const parts = counts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  return parts.length > 0 ? `Up to date: ${parts.join(", ")}.` : "Up to date: there are no files.";
}
