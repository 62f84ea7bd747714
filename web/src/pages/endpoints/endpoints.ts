/** Endpoints: how they are asked for, and what their states are called. */
import { queryOptions } from "@tanstack/react-query";

import { api, call, queries } from "../../api/client";
import type { Endpoint } from "../../api/types";
import type { Tone } from "../../components/Status";
import { bytes, count } from "../../format";

const BUSY_MS = 1000;
export const CALM_MS = 10_000;

const STATES: Record<Endpoint["status"], { tone: Tone; label: string }> = {
  pulling: { tone: "busy", label: "Fetching" },
  starting: { tone: "busy", label: "Starting" },
  ready: { tone: "good", label: "Ready" },
  idle: { tone: "idle", label: "Idle" },
  stopping: { tone: "busy", label: "Stopping" },
  failed: { tone: "bad", label: "Failed" },
};

const ENGINES: Record<string, string> = {
  openvino: "OpenVINO",
  "openvino-embeddings": "OpenVINO",
  llamacpp: "llama.cpp",
  ctranslate2: "CTranslate2",
  vllm: "vLLM",
};

const STAGES: Record<string, string> = {
  download: "Downloading",
  unpack: "Unpacking",
  verify: "Verifying",
  convert: "Converting",
};

export const endpointsQuery = queryOptions({
  queryKey: ["endpoints"],
  queryFn: () => call(api.GET("/v1/endpoints", { params: { query: { limit: 100 } } })),
  refetchInterval: ({ state }) => (state.data?.data.some(isBusy) ? BUSY_MS : CALM_MS),
});

/** Asks again for the endpoints, and for the models that can be chosen in chat. */
export async function refreshEndpoints(): Promise<void> {
  await Promise.all(
    [["endpoints"], ["models"]].map((queryKey) => queries.invalidateQueries({ queryKey })),
  );
}

export function isBusy({ status }: Endpoint): boolean {
  return STATES[status].tone === "busy";
}

export function stateOf({ status }: Endpoint): { tone: Tone; label: string } {
  return STATES[status];
}

export function canChat({ status, task }: Endpoint): boolean {
  return (task === "chat" || task === "seq2seq") && (status === "ready" || status === "idle");
}

export function engineOf(name: string): string {
  return ENGINES[name] ?? name;
}

/** 90 → "1.5 minutes", 7200 → "2 hours". */
export function seconds(value: number): string {
  if (value >= 3600) return count(rounded(value / 3600), "hour");
  if (value >= 60) return count(rounded(value / 60), "minute");
  return count(rounded(value), "second");
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** How far a pull is in words; downloads count bytes, a conversion its parts. */
export function progressOf({ progress }: Endpoint): string {
  if (progress === null) return "Preparing";
  const { stage, done, total } = progress;
  const word = STAGES[stage] ?? stage;
  const amount = stage === "convert" ? count : bytes;
  if (!total) return done > 0 ? `${word}: ${amount(done)}` : word;
  return `${word}: ${amount(done)} of ${amount(total)}`;
}
