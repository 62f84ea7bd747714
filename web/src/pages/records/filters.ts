/** What the list is narrowed to; kept in the address, so that a link or "back" leads to it again. */
import { useSearchParams } from "react-router";

import type { CallRecord, Metric } from "../../api/types";

export interface Filters {
  model?: string;
  status?: CallRecord["status"];
  metric?: Metric;
  q?: string;
  since?: Period;
}

export const PERIODS = {
  hour: { label: "Last hour", seconds: 3600 },
  day: { label: "Last 24 hours", seconds: 86_400 },
  week: { label: "Last 7 days", seconds: 604_800 },
  month: { label: "Last 30 days", seconds: 2_592_000 },
};

export type Period = keyof typeof PERIODS;

export const METRICS: Record<Metric, string> = {
  thumbs: "Thumbs",
  rating: "Rating",
  comment: "Comment",
  correction: "Correction",
  preference: "Preference",
};

const STATES: CallRecord["status"][] = ["completed", "cancelled", "failed"];

export function useFilters(): [Filters, (change: Filters) => void] {
  const [address, setAddress] = useSearchParams();
  const metrics = Object.keys(METRICS) as Metric[];
  const periods = Object.keys(PERIODS) as Period[];
  const filters: Filters = {
    model: address.get("model") ?? undefined,
    status: STATES.find((one) => one === address.get("status")),
    metric: metrics.find((one) => one === address.get("metric")),
    q: address.get("q") ?? undefined,
    since: periods.find((one) => one === address.get("since")),
  };
  function change(next: Filters) {
    setAddress(
      (before) => {
        const after = new URLSearchParams(before);
        for (const [name, value] of Object.entries(next)) {
          if (value) after.set(name, value);
          else after.delete(name);
        }
        return after;
      },
      { replace: true },
    );
  }
  return [filters, change];
}

/** The filters as the API has them; a period counts back from now. */
export function queryOf({ since, ...filters }: Filters) {
  if (since === undefined) return filters;
  return { ...filters, created_after: Date.now() / 1000 - PERIODS[since].seconds };
}
