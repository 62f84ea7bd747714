/** The typed client of the server that served this page, and the query cache around it. */
import { QueryClient } from "@tanstack/react-query";
import createClient from "openapi-fetch";

import { ApiError, errorOf } from "./errors";
import type { paths } from "./schema";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: true,
      retry: (failures, error) =>
        failures < 2 && !(error instanceof ApiError && error.status < 500),
    },
  },
});

export const api = createClient<paths>({ credentials: "same-origin" });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a call, or a thrown ApiError. A 401 sends the person to the sign-in page. */
export async function call<T>(request: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await request;
  if (response.ok) return data as T;
  if (response.status === 401) signedOut();
  throw errorOf(error, response.status);
}

export function signedOut(): void {
  queries.setQueryData(["session"], null);
}
