/** What the list is narrowed to; kept in the address, so that a link or "back" leads to it again. */
import { useSearchParams } from "react-router";

import type { CallRecord, Metric } from "../../api/types";

export interface Filters {
  model?: string;
  status?: CallRecord["status"];
  metric?: Metric;
  q?: string;
}

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
  const filters: Filters = {
    model: address.get("model") ?? undefined,
    status: STATES.find((one) => one === address.get("status")),
    metric: metrics.find((one) => one === address.get("metric")),
    q: address.get("q") ?? undefined,
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
