/** API keys: how they are asked for, and what their times are called. */
import { infiniteQueryOptions } from "@tanstack/react-query";

import { api, call, queries } from "../../api/client";
import type { ApiKey } from "../../api/types";
import { ago, moment } from "../../format";

export const keysQuery = infiniteQueryOptions({
  queryKey: ["keys"],
  initialPageParam: undefined as string | undefined,
  queryFn: ({ pageParam: after }) =>
    call(api.GET("/v1/organization/admin_api_keys", { params: { query: { limit: 100, after } } })),
  getNextPageParam: (page) => (page.has_more ? (page.last_id ?? undefined) : undefined),
  select: ({ pages }) => pages.flatMap(({ data }) => data),
});

export function refreshKeys(): Promise<void> {
  return queries.invalidateQueries({ queryKey: keysQuery.queryKey });
}

export function expiryOf({ expires_at: at }: ApiKey, now: number = Date.now() / 1000): string {
  if (at == null) return "Never";
  return at <= now ? "Expired" : moment(at);
}

export function usedOf({ last_used_at: at }: ApiKey): string {
  return at == null ? "Never" : ago(at);
}
