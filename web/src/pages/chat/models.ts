/** Which models and apps can be chatted with. */
import { useQuery } from "@tanstack/react-query";

import { api, call } from "../../api/client";
import type { Model } from "../../api/types";
import type { Tone } from "../../components/Status";

const SETTLED = new Set(["ready", "idle", "failed"]);

export function useChatModels() {
  return useQuery({
    queryKey: ["models"],
    queryFn: () => call(api.GET("/v1/models")),
    select: ({ data }) => data.filter(({ headstart }) => isChat(headstart.task)),
    refetchInterval: ({ state }) =>
      state.data?.data.every(({ headstart }) => SETTLED.has(headstart.status)) ? 30_000 : 2500,
  });
}

function isChat(task: string): boolean {
  return task === "chat" || task === "seq2seq";
}

/** The one that was chosen, or else the first app, or else the first model that answers. */
export function pick(models: Model[], chosen: string | null): Model | null {
  const usable = models.filter(({ headstart }) => headstart.status !== "failed");
  return (
    models.find(({ id }) => id === chosen) ??
    usable.find(({ headstart }) => headstart.kind === "app") ??
    usable.find(({ headstart }) => headstart.status === "ready") ??
    usable[0] ??
    models[0] ??
    null
  );
}

export function toneOf(status: string): Tone {
  if (status === "ready") return "good";
  if (status === "failed") return "bad";
  return status === "idle" ? "idle" : "busy";
}
