/** The deployed models: what each is doing, what it takes, its logs, and its end. */
import { Button, Skeleton, Stack } from "@mantine/core";
import { IconPlus, IconServer2 } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "react-router";

import { api, call } from "../../api/client";
import { machineQuery } from "../../api/machine";
import { useSession } from "../../api/session";
import type { Endpoint } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { EmptyState } from "../../components/EmptyState";
import { ErrorState } from "../../components/ErrorState";
import { notifyDone, notifyError } from "../../components/notify";
import { Page } from "../../components/Page";
import { bytes } from "../../format";
import { EndpointCard } from "./EndpointCard";
import { CALM_MS, endpointsQuery, refreshEndpoints } from "./endpoints";
import classes from "./EndpointsPage.module.css";
import { LogsDrawer } from "./LogsDrawer";

export default function EndpointsPage() {
  const { data: session } = useSession();
  const deploy = session?.role === "admin" && (
    <Button component={Link} to="/hub" leftSection={<IconPlus size={16} aria-hidden />}>
      Deploy a model
    </Button>
  );
  return (
    <Page
      title="Endpoints"
      description={
        <>
          Models that run on this machine. Each answers under its name in chat and in the API.{" "}
          <Memory />
        </>
      }
      actions={deploy}
    >
      <Endpoints deploy={deploy} />
    </Page>
  );
}

/** What all of them take together, and what is left. */
function Memory() {
  const { data: endpoints } = useQuery(endpointsQuery);
  const { data: machine } = useQuery({ ...machineQuery, refetchInterval: CALM_MS });
  const taken = endpoints?.data.reduce((sum, { memory_bytes: own }) => sum + (own ?? 0), 0) ?? 0;
  if (machine === undefined || taken === 0) return null;
  return (
    <span className="rise">
      They take {bytes(taken)} of memory, {bytes(machine.memory_free)} is free.
    </span>
  );
}

function Endpoints({ deploy }: { deploy: ReactNode }) {
  const endpoints = useQuery(endpointsQuery);
  const { data: session } = useSession();
  const [logs, setLogs] = useState<string | null>(null);
  const [doomed, setDoomed] = useState<Endpoint | null>(null);
  const remove = useMutation({
    mutationFn: ({ id }: Endpoint) =>
      call(api.DELETE("/v1/endpoints/{name_or_id}", { params: { path: { name_or_id: id } } })),
    onSuccess: async (_, { name }) => {
      await refreshEndpoints();
      notifyDone(`${name} was deleted`);
    },
    onError: (error) => notifyError(error, "The endpoint was not deleted"),
    onSettled: () => setDoomed(null),
  });

  if (endpoints.isPending) {
    return (
      <Stack gap="md" aria-label="Loading the endpoints">
        {[0, 1, 2].map((one) => (
          <Skeleton key={one} height={150} radius="lg" />
        ))}
      </Stack>
    );
  }
  if (endpoints.isError) {
    return <ErrorState error={endpoints.error} retry={() => void endpoints.refetch()} />;
  }
  if (endpoints.data.data.length === 0) {
    return (
      <EmptyState icon={IconServer2} title="No model is deployed" action={deploy}>
        {deploy
          ? "Pick an open model from the hub. It is downloaded once and then runs on this machine."
          : "An admin can deploy one from the hub."}
      </EmptyState>
    );
  }
  return (
    <>
      <ul className={classes.list}>
        {endpoints.data.data.map((endpoint) => (
          <li key={endpoint.id}>
            <EndpointCard
              endpoint={endpoint}
              onLogs={session?.role === "admin" ? () => setLogs(endpoint.name) : undefined}
              onDelete={session?.role === "admin" ? () => setDoomed(endpoint) : undefined}
            />
          </li>
        ))}
      </ul>
      <LogsDrawer name={logs} onClose={() => setLogs(null)} />
      <Confirm
        opened={doomed !== null}
        title={`Delete ${doomed?.name ?? "the endpoint"}?`}
        verb="Delete"
        pending={remove.isPending}
        onConfirm={() => doomed && remove.mutate(doomed)}
        onClose={() => setDoomed(null)}
      >
        Calls in flight may end; new ones are refused. The model stays on disk, so that it can be
        deployed again without a download.
      </Confirm>
    </>
  );
}
