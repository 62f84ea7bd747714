/** Says what a model is still waiting for, so that nobody wonders why it does not answer yet. */
import { Group, Loader, Progress, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { api, call } from "../../api/client";
import type { Endpoint, Model } from "../../api/types";
import { bytes } from "../../format";

export function Readiness({ model }: { model: Model }) {
  const { status } = model.headstart;
  const waiting = status === "pulling" || status === "starting";
  const endpoints = useQuery({
    queryKey: ["endpoints"],
    queryFn: () => call(api.GET("/v1/endpoints", { params: { query: { limit: 100 } } })),
    enabled: waiting,
    refetchInterval: 1500,
  });
  if (!waiting) return null;
  const pulling = endpoints.data?.data.find((one) => one.progress?.total);
  return (
    <Group gap="sm" px="md" pb={10} wrap="nowrap" role="status">
      <Loader size={14} color="gray" />
      <Text size="sm" c="dimmed" style={{ whiteSpace: "nowrap" }}>
        {status === "starting" ? `${model.id} is being loaded` : progressOf(model, pulling)}
      </Text>
      {status === "pulling" && pulling?.progress?.total && (
        <Progress
          flex={1}
          size="xs"
          value={(100 * pulling.progress.done) / pulling.progress.total}
          aria-label="Progress of the download"
        />
      )}
    </Group>
  );
}

function progressOf(model: Model, pulling: Endpoint | undefined): string {
  if (!pulling?.progress?.total) return `${model.id} is being fetched`;
  const { done, total } = pulling.progress;
  return `Fetching ${pulling.model}: ${bytes(done)} of ${bytes(total)}`;
}
