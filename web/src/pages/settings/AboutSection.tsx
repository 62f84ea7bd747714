/** What this server is, and what it runs on. */
import { Skeleton, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { api, call } from "../../api/client";
import { machineQuery } from "../../api/machine";
import { ErrorState } from "../../components/ErrorState";
import { bytes, count } from "../../format";
import classes from "./SettingsPage.module.css";

export function AboutSection() {
  const machine = useQuery(machineQuery);
  const live = useQuery({
    queryKey: ["live"],
    queryFn: () => call(api.GET("/health/live")),
    staleTime: 60_000,
  });
  return (
    <section aria-labelledby="about">
      <Title order={2} id="about" mb="md">
        This server
      </Title>
      {machine.isPending && <Skeleton height={84} radius="lg" aria-label="Loading the server" />}
      {machine.isError && (
        <ErrorState error={machine.error} retry={() => void machine.refetch()} />
      )}
      {machine.isSuccess && (
        <dl className={classes.about}>
          <Fact name="Headstart" value={live.data?.version ?? "–"} />
          <Fact
            name="Processor"
            value={`${machine.data.cpu}, ${count(machine.data.cores, "core")}`}
          />
          <Fact
            name="Memory"
            value={`${bytes(machine.data.memory_free)} of ${bytes(machine.data.memory_total)} free`}
          />
          <Fact name="Disk" value={`${bytes(machine.data.disk_free)} free`} />
          <Fact name="Accelerators" value={machine.data.accelerators.join(", ") || "None"} />
        </dl>
      )}
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
