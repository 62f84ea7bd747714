/** Narrows the list of records: by text, model or app, state, feedback, and time. */
import { Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, call } from "../../api/client";
import type { Metric } from "../../api/types";
import classes from "./FilterBar.module.css";
import { METRICS, PERIODS, type Filters, type Period } from "./filters";
import { STATUSES } from "./reading";

interface FilterBarProps {
  filters: Filters;
  onChange: (change: Filters) => void;
}

const TYPING_MS = 300;

export function FilterBar({ filters, onChange }: FilterBarProps) {
  const [text, setText] = useState(filters.q ?? "");
  const search = useDebouncedCallback((q: string) => onChange({ q: q.trim() }), TYPING_MS);
  const models = useQuery({ queryKey: ["models"], queryFn: () => call(api.GET("/v1/models")) });
  const names = new Set(models.data?.data.map(({ id }) => id));
  if (filters.model !== undefined) names.add(filters.model);

  return (
    <div className={classes.bar} role="search" aria-label="Filter the records">
      <TextInput
        className={classes.text}
        type="search"
        aria-label="Text in question or answer"
        placeholder="Search the text"
        leftSection={<IconSearch size={17} stroke={1.6} aria-hidden />}
        maxLength={1000}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          search(event.currentTarget.value);
        }}
      />
      <Select
        aria-label="Model or app"
        placeholder="Model or app"
        clearable
        searchable={names.size > 8}
        data={[...names]}
        value={filters.model ?? null}
        onChange={(model) => onChange({ model: model ?? "" })}
      />
      <Select
        aria-label="Status"
        placeholder="Status"
        clearable
        data={Object.entries(STATUSES).map(([value, { label }]) => ({ value, label }))}
        value={filters.status ?? null}
        onChange={(status) => onChange({ status: (status as Filters["status"]) ?? undefined })}
      />
      <Select
        aria-label="Feedback"
        placeholder="Feedback"
        clearable
        data={Object.entries(METRICS).map(([value, label]) => ({ value, label }))}
        value={filters.metric ?? null}
        onChange={(metric) => onChange({ metric: (metric as Metric | null) ?? undefined })}
      />
      <Select
        aria-label="Time"
        placeholder="Time"
        clearable
        data={Object.entries(PERIODS).map(([value, { label }]) => ({ value, label }))}
        value={filters.since ?? null}
        onChange={(since) => onChange({ since: (since as Period | null) ?? undefined })}
      />
    </div>
  );
}
