/** A chat completion as it is written: server-sent events turned into a few kinds of news. */
import { EventSourceParserStream } from "eventsource-parser/stream";

import { signedOut } from "./client";
import { ApiError, errorOf } from "./errors";
import type { Annotation } from "./types";

export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string;
}

export interface ChatBody {
  model: string;
  messages: ChatMessage[];
  conversation?: string;
  regenerates?: string;
  temperature?: number;
  top_p?: number;
  max_tokens?: number;
  stop?: string[];
  seed?: number;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
}

export type News =
  | { kind: "started"; id: string }
  | { kind: "text"; text: string }
  | { kind: "annotations"; annotations: Annotation[] }
  | { kind: "finished"; reason: string }
  | { kind: "usage"; usage: Usage };

interface Chunk {
  id?: string;
  error?: unknown;
  usage?: Usage | null;
  choices?: {
    delta?: { content?: string | null; annotations?: Annotation[] | null };
    finish_reason?: string | null;
  }[];
}

/** Asks and yields the news. Throws ApiError for a refusal, an error event, or a broken stream. */
export async function* chat(body: ChatBody, signal: AbortSignal): AsyncGenerator<News> {
  const response = await fetch("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  if (!response.ok || response.body === null) {
    if (response.status === 401) signedOut();
    throw errorOf(await response.json().catch(() => null), response.status);
  }
  const reader = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  let id: string | null = null;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new ApiError("The connection closed before the answer was complete.", 502);
    if (value.data === "[DONE]") return;
    const chunk = JSON.parse(value.data) as Chunk;
    if (chunk.error !== undefined) throw errorOf(chunk, 502);
    if (id === null && chunk.id !== undefined) {
      id = chunk.id;
      yield { kind: "started", id };
    }
    yield* newsOf(chunk);
  }
}

function* newsOf(chunk: Chunk): Generator<News> {
  const choice = chunk.choices?.[0];
  if (choice?.delta?.content) yield { kind: "text", text: choice.delta.content };
  if (choice?.delta?.annotations) {
    yield { kind: "annotations", annotations: choice.delta.annotations };
  }
  if (choice?.finish_reason) yield { kind: "finished", reason: choice.finish_reason };
  if (chunk.usage) yield { kind: "usage", usage: chunk.usage };
}
