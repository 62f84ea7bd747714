/** The deployed models: what each is doing, what it takes, its logs, and its end. */
import { Button, Skeleton, Stack } from "@mantine/core";
import { IconPlus, IconServer2 } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "react-router";

import { api, call } from "../../api/client";
import { useSession } from "../../api/session";
import type { Endpoint } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { EmptyState } from "../../components/EmptyState";
import { ErrorState } from "../../components/ErrorState";
import { notifyDone, notifyError } from "../../components/notify";
import { Page } from "../../components/Page";
import { EndpointCard } from "./EndpointCard";
import { endpointsQuery, refreshEndpoints } from "./endpoints";
import classes from "./EndpointsPage.module.css";
import { LogsDrawer } from "./LogsDrawer";

export default function EndpointsPage() {
  const deploy = (
    <Button component={Link} to="/hub" leftSection={<IconPlus size={16} aria-hidden />}>
      Deploy a model
    </Button>
  );
  return (
    <Page
      title="Endpoints"
      description="Models that run on this machine. Each answers under its name in chat and in the API."
      actions={deploy}
    >
      <Endpoints deploy={deploy} />
    </Page>
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
        Pick an open model from the hub. It is downloaded once and then runs on this machine.
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
