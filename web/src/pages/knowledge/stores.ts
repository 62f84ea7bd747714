/** Stores and their files: how they are asked for, and what their states are called. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, call, queries } from "../../api/client";
import type { VectorStore, VectorStoreFile } from "../../api/types";
import type { Tone } from "../../components/Status";
import { count } from "../../format";

const POLL_MS = 1000;
const PAGE = 100;

export const storesQuery = infiniteQueryOptions({
  queryKey: ["stores"],
  initialPageParam: undefined as string | undefined,
  queryFn: ({ pageParam: after }) =>
    call(api.GET("/v1/vector_stores", { params: { query: { limit: PAGE, after } } })),
  getNextPageParam: nextOf,
  select: ({ pages }) => pages.flatMap(({ data }) => data),
  refetchInterval: ({ state }) =>
    state.data?.pages.some(({ data }) => data.some(isBusy)) ? POLL_MS : false,
});

export function storeQuery(storeId: string) {
  return queryOptions({
    queryKey: ["stores", storeId],
    queryFn: () =>
      call(api.GET("/v1/vector_stores/{store_id}", { params: { path: { store_id: storeId } } })),
    refetchInterval: ({ state }) => (state.data && isBusy(state.data) ? POLL_MS : false),
  });
}

export function filesQuery(storeId: string, filter?: VectorStoreFile["status"]) {
  return infiniteQueryOptions({
    queryKey: ["stores", storeId, "files", filter],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: after }) =>
      call(
        api.GET("/v1/vector_stores/{store_id}/files", {
          params: { path: { store_id: storeId }, query: { limit: PAGE, after, filter } },
        }),
      ),
    getNextPageParam: nextOf,
    select: ({ pages }) => pages.flatMap(({ data }) => data),
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ data }) => data.some((file) => file.status === "in_progress"))
        ? POLL_MS
        : false,
  });
}

function nextOf(page: { has_more: boolean; last_id?: string | null }): string | undefined {
  return page.has_more ? (page.last_id ?? undefined) : undefined;
}

/** Asks again for the stores, and with them for the files of each. */
export function refreshStores(): Promise<void> {
  return queries.invalidateQueries({ queryKey: ["stores"] });
}

export function isBusy(store: VectorStore): boolean {
  return store.status === "in_progress" || store.file_counts.in_progress > 0;
}

export function stateOf(store: VectorStore): { tone: Tone; label: string } {
  const { total, in_progress: waiting, failed } = store.file_counts;
  if (store.status === "expired") return { tone: "bad", label: "Expired" };
  if (waiting > 0) return { tone: "busy", label: `Reading ${count(waiting, "file")}` };
  if (isBusy(store)) return { tone: "busy", label: "Updating" };
  if (failed > 0) return { tone: "bad", label: `${count(failed, "file")} failed` };
  return total > 0 ? { tone: "good", label: "Ready" } : { tone: "idle", label: "Empty" };
}

export function fileStateOf(file: VectorStoreFile): { tone: Tone; label: string } {
  switch (file.status) {
    case "completed":
      return { tone: "good", label: count(file.headstart.chunks, "passage") };
    case "in_progress":
      return { tone: "busy", label: "Reading" };
    case "failed":
      return { tone: "bad", label: "Failed" };
    case "cancelled":
      return { tone: "idle", label: "Cancelled" };
  }
}
