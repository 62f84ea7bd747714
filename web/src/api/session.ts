/** Who is signed in to this browser. */
import { useMutation, useQuery } from "@tanstack/react-query";

import { api, call, queries } from "./client";
import { ApiError } from "./errors";
import type { Session } from "./types";

async function current(): Promise<Session | null> {
  try {
    return await call(api.GET("/v1/session"));
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

export function useSession() {
  return useQuery({ queryKey: ["session"], queryFn: current, staleTime: 5 * 60_000 });
}

export function useSignIn() {
  return useMutation({
    mutationFn: (key: string) => call(api.POST("/v1/session", { body: { key } })),
    onSuccess: (session) => queries.setQueryData(["session"], session),
  });
}

export function useSignOut() {
  return useMutation({
    mutationFn: () => call(api.DELETE("/v1/session")),
    onSuccess: () => {
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
      queries.setQueryData(["session"], null);
    },
  });
}
