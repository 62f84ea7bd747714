/** A conversation as turns: what the person said, and the answers to it (one, or alternatives). */
import type { ChatMessage } from "../../api/stream";
import type { Annotation, Feedback, Item } from "../../api/types";
import type { Live } from "./exchanges";

export interface Answer {
  /** The handle of everything about this answer; null until the server named it. */
  recordId: string | null;
  text: string;
  annotations: Annotation[];
  feedback: Feedback[];
  /** Stopped before its end. */
  incomplete: boolean;
  /** Present while it is being written, and after a failure. */
  live: Live | null;
}

export interface Turn {
  question: string;
  answers: Answer[];
}

export function turnsOf(items: Item[]): Turn[] {
  const turns: Turn[] = [];
  const turnOfRecord = new Map<string, Turn>();
  for (const item of items) {
    const text = item.content.map((part) => part.text || part.refusal || "").join("");
    if (item.role === "user") {
      turns.push({ question: text, answers: [] });
    } else if (item.role === "assistant") {
      const original = item.alternative_to ? turnOfRecord.get(item.alternative_to) : undefined;
      const turn = original ?? turns.at(-1);
      if (turn === undefined) continue;
      turn.answers.push({
        recordId: item.record_id ?? null,
        text,
        annotations: item.content.flatMap((part) => part.annotations ?? []),
        feedback: item.feedback ?? [],
        incomplete: item.status === "incomplete",
        live: null,
      });
      if (item.record_id) turnOfRecord.set(item.record_id, turn);
    }
  }
  return turns;
}

/** Adds what is being written; what the server's list has already only gets its failure. */
export function withLive(turns: Turn[], live: Live | null): Turn[] {
  if (live === null) return turns;
  const isIt = ({ recordId }: Answer) => recordId !== null && recordId === live.recordId;
  if (turns.some(({ answers }) => answers.some(isIt))) {
    const failure = live.phase === "failed" ? live : null;
    return turns.map((turn) => ({
      ...turn,
      answers: turn.answers.map((one) => (isIt(one) ? { ...one, live: failure } : one)),
    }));
  }
  const answer: Answer = {
    recordId: live.recordId,
    text: live.text,
    annotations: live.annotations,
    feedback: [],
    incomplete: live.phase === "stopped",
    live,
  };
  const last = turns.at(-1);
  const waiting = last !== undefined && last.answers.length === 0 && last.question === live.question;
  const isOriginal = ({ recordId }: Answer) => recordId !== null && recordId === live.regenerates;
  const home = waiting ? last : turns.find(({ answers }) => answers.some(isOriginal));
  if (home === undefined) {
    return [...turns, { question: live.question, answers: [answer] }];
  }
  return turns.map((turn) =>
    turn === home ? { ...turn, answers: [...turn.answers, answer] } : turn,
  );
}

/** The index of the answer that stands for a turn: the preferred one, or else the newest. */
export function standing({ answers }: Turn): number {
  const preferred = answers.findIndex(({ feedback }) =>
    feedback.some(({ metric }) => metric === "preference"),
  );
  const writing = answers.findIndex(({ live }) => live !== null);
  if (writing >= 0) return writing;
  return preferred >= 0 ? preferred : answers.length - 1;
}

/** What the model is told of a conversation so far. */
export function messagesOf(turns: Turn[], shownOf: (position: number) => number): ChatMessage[] {
  return turns.flatMap((turn, position): ChatMessage[] => {
    const answer = turn.answers[shownOf(position)];
    if (answer === undefined || answer.text === "" || answer.live?.phase === "failed") return [];
    return [
      { role: "user", content: turn.question },
      { role: "assistant", content: answer.text },
    ];
  });
}
