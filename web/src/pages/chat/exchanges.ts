/**
 * Answers that are being written, one per conversation.
 *
 * They live outside of React, so that leaving the page does not stop an answer. One that the
 * server has stored is dropped as soon as the conversation's items show it.
 */
import { useSyncExternalStore } from "react";

import { queries } from "../../api/client";
import { chat, type ChatBody, type News, type Usage } from "../../api/stream";
import type { Annotation, Item } from "../../api/types";
import { itemsQuery, refreshConversations } from "./conversations";

export interface Live {
  question: string;
  /** The record whose answer this one stands beside. */
  regenerates: string | null;
  phase: "waiting" | "writing" | "done" | "stopped" | "failed";
  recordId: string | null;
  text: string;
  annotations: Annotation[];
  error: unknown;
  timing: Timing;
}

/** How an answer came about, as this browser saw it; milliseconds. */
export interface Timing {
  startedAt: number;
  firstTextMs: number | null;
  durationMs: number | null;
  usage: Usage | null;
  finish: string | null;
}

const PAINT_MS = 40; // text arrives faster than it is worth painting
const SAVE_TRIES_MS = [0, 250, 700, 1500, 3000];

class Exchanges {
  private readonly lives = new Map<string, Live>();
  private readonly aborts = new Map<string, AbortController>();
  private readonly listeners = new Set<() => void>();
  private readonly timings = new Map<string, Timing>();
  private painting: number | undefined;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  of(conversationId: string): Live | null {
    return this.lives.get(conversationId) ?? null;
  }

  timingOf(recordId: string): Timing | null {
    return this.timings.get(recordId) ?? null;
  }

  isRunning(conversationId: string): boolean {
    return this.aborts.has(conversationId);
  }

  stop(conversationId: string): void {
    this.aborts.get(conversationId)?.abort();
  }

  async start(conversationId: string, question: string, body: ChatBody): Promise<void> {
    const abort = new AbortController();
    this.aborts.set(conversationId, abort);
    const live: Live = {
      question,
      regenerates: body.regenerates ?? null,
      phase: "waiting",
      recordId: null,
      text: "",
      annotations: [],
      error: null,
      timing: {
        startedAt: performance.now(),
        firstTextMs: null,
        durationMs: null,
        usage: null,
        finish: null,
      },
    };
    this.put(conversationId, live);
    try {
      for await (const news of chat({ ...body, conversation: conversationId }, abort.signal)) {
        this.hear(conversationId, news);
      }
      this.end(conversationId, { phase: "done" });
    } catch (error) {
      this.end(
        conversationId,
        abort.signal.aborted ? { phase: "stopped" } : { phase: "failed", error },
      );
    }
    await this.settle(conversationId);
  }

  private hear(conversationId: string, news: News): void {
    const live = this.lives.get(conversationId);
    if (live === undefined) return;
    const timing = { ...live.timing };
    const next: Live = { ...live, timing };
    if (news.kind === "started") next.recordId = news.id;
    if (news.kind === "annotations") next.annotations = news.annotations;
    if (news.kind === "finished") timing.finish = news.reason;
    if (news.kind === "usage") timing.usage = news.usage;
    if (news.kind === "text") {
      timing.firstTextMs ??= performance.now() - timing.startedAt;
      next.phase = "writing";
      next.text += news.text;
    }
    this.lives.set(conversationId, next);
    this.painting ??= window.setTimeout(() => this.tell(), PAINT_MS);
  }

  private end(conversationId: string, outcome: Pick<Live, "phase"> & Partial<Live>): void {
    this.aborts.delete(conversationId);
    const live = this.lives.get(conversationId);
    if (live === undefined) return;
    const timing = { ...live.timing, durationMs: performance.now() - live.timing.startedAt };
    if (live.recordId !== null) this.timings.set(live.recordId, timing);
    this.put(conversationId, { ...live, ...outcome, timing });
  }

  /** Loads the stored conversation until the answer is in it, then forgets the live one. */
  private async settle(conversationId: string): Promise<void> {
    const live = this.lives.get(conversationId);
    if (live === undefined) return;
    for (const delay of SAVE_TRIES_MS) {
      await new Promise((resolve) => setTimeout(resolve, delay));
      const items = await queries
        .fetchQuery({ ...itemsQuery(conversationId), staleTime: 0 })
        .catch((): Item[] => []);
      if (this.lives.get(conversationId) !== live) break; // the person has asked on
      if (items.some((item) => isStored(item, live))) {
        if (live.phase !== "failed") this.lives.delete(conversationId);
        break;
      }
      if (live.phase === "failed") break; // a failed answer may well not be kept
    }
    await refreshConversations();
    this.tell();
  }

  private put(conversationId: string, live: Live): void {
    this.lives.set(conversationId, live);
    this.tell();
  }

  private tell(): void {
    clearTimeout(this.painting);
    this.painting = undefined;
    for (const listener of this.listeners) listener();
  }
}

/** Where recording is off, an answer is stored without a handle: then its text tells. */
function isStored(item: Item, live: Live): boolean {
  if (item.role !== "assistant") return false;
  if (item.record_id) return item.record_id === live.recordId;
  return item.content.map(({ text }) => text).join("") === live.text;
}

export const exchanges = new Exchanges();

export function useLive(conversationId: string | undefined): Live | null {
  return useSyncExternalStore(exchanges.subscribe, () =>
    conversationId === undefined ? null : exchanges.of(conversationId),
  );
}
