/** The models that can be deployed by name, and whether this machine can run them. */
import { Button, SegmentedControl, SimpleGrid, Skeleton, Switch, TextInput } from "@mantine/core";
import { IconSearch, IconZoomExclamation } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useSearchParams } from "react-router";

import { queries } from "../../api/client";
import { machineQuery } from "../../api/machine";
import { useSession } from "../../api/session";
import type { Endpoint, HubModel } from "../../api/types";
import { EmptyState } from "../../components/EmptyState";
import { ErrorState } from "../../components/ErrorState";
import { Page } from "../../components/Page";
import { bytes, count } from "../../format";
import { endpointsQuery } from "../endpoints/endpoints";
import { DeployModal } from "./DeployModal";
import { hubQuery, matching, TASKS, type Filter } from "./hub";
import classes from "./HubPage.module.css";
import { ModelCard } from "./ModelCard";
import { ModelDrawer } from "./ModelDrawer";

const EVERYTHING: Filter = { words: "", task: "all", installed: false };

export default function HubPage() {
  const [filter, setFilter] = useFilter();
  const hub = useQuery(hubQuery);
  const shown = matching(hub.data?.data ?? [], filter);
  return (
    <Page
      title="Hub"
      description={
        <>
          Open models, downloaded when they are first deployed. <Room />
        </>
      }
    >
      <FilterBar filter={filter} onChange={setFilter} />
      <p className={classes.count} aria-live="polite">
        {hub.isSuccess && count(shown.length, "model")}
      </p>
      {hub.isPending && (
        <SimpleGrid cols={{ base: 1, md: 2 }} aria-label="Loading the models">
          {[0, 1, 2, 3, 4, 5].map((one) => (
            <Skeleton key={one} height={236} radius="lg" />
          ))}
        </SimpleGrid>
      )}
      {hub.isError && <ErrorState error={hub.error} retry={() => void hub.refetch()} />}
      {hub.isSuccess &&
        (shown.length === 0 ? (
          <EmptyState
            icon={IconZoomExclamation}
            title="No model matches"
            action={
              <Button variant="default" mt="xs" onClick={() => setFilter(EVERYTHING)}>
                Show all models
              </Button>
            }
          >
            A model that is not listed can be deployed from the command line, from a file or a
            repository.
          </EmptyState>
        ) : (
          <Cards models={shown} all={hub.data.data} />
        ))}
    </Page>
  );
}

/** What the badges of the cards are measured against. */
function Room() {
  const { data: machine } = useQuery(machineQuery);
  if (machine === undefined) return null;
  const { cores, memory_free: free, memory_total: total, disk_free: disk, accelerators } = machine;
  const parts = [count(cores, "core"), ...accelerators];
  return (
    <span className="rise">
      This machine has {parts.join(", ")}, {bytes(free)} of {bytes(total)} of memory free, and{" "}
      {bytes(disk)} of disk.
    </span>
  );
}

/** The filter is in the address, so that going back finds it again. */
function useFilter(): [Filter, (change: Partial<Filter>) => void] {
  const [search, setSearch] = useSearchParams();
  const filter: Filter = {
    words: search.get("q") ?? "",
    task: TASKS.find(({ value }) => value === search.get("task"))?.value ?? "all",
    installed: search.has("installed"),
  };
  return [
    filter,
    (change) => {
      const { words, task, installed } = { ...filter, ...change };
      const next = new URLSearchParams();
      if (words !== "") next.set("q", words);
      if (task !== "all") next.set("task", task);
      if (installed) next.set("installed", "");
      setSearch(next, { replace: true });
    },
  ];
}

/** The model whose drawer is open, also in the address: a link leads to it. */
function useOpened(): [string | null, (name: string | null) => void] {
  const [search, setSearch] = useSearchParams();
  return [
    search.get("model"),
    (name) => {
      const next = new URLSearchParams(search);
      if (name === null) next.delete("model");
      else next.set("model", name);
      setSearch(next, { replace: name === null });
    },
  ];
}

interface FilterBarProps {
  filter: Filter;
  onChange: (change: Partial<Filter>) => void;
}

function FilterBar({ filter, onChange }: FilterBarProps) {
  return (
    <search className={classes.filters}>
      <TextInput
        type="search"
        className={classes.words}
        aria-label="Search the models"
        placeholder="Search by name, family, language …"
        leftSection={<IconSearch size={16} stroke={1.6} aria-hidden />}
        value={filter.words}
        onChange={(event) => onChange({ words: event.currentTarget.value })}
      />
      <div className={classes.tasks}>
        <SegmentedControl
          aria-label="Task"
          data={TASKS}
          value={filter.task}
          onChange={(task) => onChange({ task })}
        />
      </div>
      <Switch
        label="Installed"
        checked={filter.installed}
        onChange={(event) => onChange({ installed: event.currentTarget.checked })}
      />
    </search>
  );
}

interface CardsProps {
  models: HubModel[];
  /** Those that the filter hides too: a link may open one. */
  all: HubModel[];
}

function Cards({ models, all }: CardsProps) {
  const { data: session } = useSession();
  const { data: endpoints, isPending } = useQuery(endpointsQuery);
  const [chosen, setChosen] = useState<HubModel | null>(null);
  const [opened, open] = useOpened();
  const pulling = endpoints?.data.filter(({ status }) => status === "pulling").length ?? 0;

  // A download that ended, or began, changes what is installed.
  useEffect(() => {
    void queries.invalidateQueries({ queryKey: hubQuery.queryKey });
  }, [pulling]);

  function propsOf(model: HubModel) {
    return {
      model,
      endpoint: newestOf(model, endpoints?.data ?? []),
      // What is deployed already must be known first, or the button would be taken away again.
      onDeploy: session?.role === "admin" && !isPending ? () => setChosen(model) : undefined,
    };
  }

  const detail = all.find(({ name }) => name === opened);
  return (
    <>
      <SimpleGrid component="ul" cols={{ base: 1, md: 2 }} className={classes.cards}>
        {models.map((model) => (
          <li key={model.id}>
            <ModelCard {...propsOf(model)} onOpen={() => open(model.name)} />
          </li>
        ))}
      </SimpleGrid>
      <ModelDrawer shown={detail && propsOf(detail)} onClose={() => open(null)} />
      <DeployModal model={chosen} onClose={() => setChosen(null)} />
    </>
  );
}

function newestOf(model: HubModel, endpoints: Endpoint[]): Endpoint | undefined {
  return endpoints.findLast((endpoint) => endpoint.model === model.name);
}
