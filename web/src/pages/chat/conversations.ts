/** The conversations that the server keeps for this person. */
import { queryOptions, useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";

import { api, call, queries } from "../../api/client";
import type { Conversation, Item } from "../../api/types";

export function useConversations() {
  return useInfiniteQuery({
    queryKey: ["conversations"],
    queryFn: ({ pageParam }) =>
      call(api.GET("/v1/conversations", { params: { query: { limit: 40, after: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.has_more ? (page.last_id ?? undefined) : undefined),
    select: ({ pages }): Conversation[] => pages.flatMap((page) => page.data),
  });
}

export function itemsQuery(conversationId: string) {
  return queryOptions({
    queryKey: ["items", conversationId],
    queryFn: () => allItems(conversationId),
    staleTime: 60_000,
  });
}

export function useItems(conversationId: string | undefined) {
  return useQuery({
    ...itemsQuery(conversationId ?? ""),
    enabled: conversationId !== undefined,
  });
}

/** A new conversation, named after the question that begins it (the server shortens it). */
export function create(question: string): Promise<Conversation> {
  return call(api.POST("/v1/conversations", { body: { title: question.slice(0, 200) } }));
}

async function allItems(id: string): Promise<Item[]> {
  const items: Item[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await call(
      api.GET("/v1/conversations/{id}/items", {
        params: { path: { id }, query: { order: "asc", limit: 100, after } },
      }),
    );
    items.push(...page.data);
    if (!page.has_more || page.last_id == null) return items;
    after = page.last_id;
  }
}

export function refreshConversations(): Promise<void> {
  return queries.invalidateQueries({ queryKey: ["conversations"] });
}

export function useRename() {
  return useMutation({
    mutationFn: ({ id, title }: { id: string; title: string }) =>
      call(api.POST("/v1/conversations/{id}", { params: { path: { id } }, body: { title } })),
    onSettled: refreshConversations,
  });
}

export function useDelete() {
  return useMutation({
    mutationFn: (id: string) =>
      call(api.DELETE("/v1/conversations/{id}", { params: { path: { id } } })),
    onSettled: refreshConversations,
  });
}
