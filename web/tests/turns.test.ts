import { expect, test } from "vitest";

import type { Item } from "../src/api/types";
import type { Live } from "../src/pages/chat/exchanges";
import { messagesOf, standing, turnsOf, withLive } from "../src/pages/chat/turns";

let serial = 0;

function item(role: "user" | "assistant", text: string, more: Partial<Item> = {}): Item {
  serial += 1;
  return {
    id: `msg_${serial}`,
    type: "message",
    role,
    status: "completed",
    content: [{ type: role === "user" ? "input_text" : "output_text", text, annotations: [] }],
    record_id: null,
    alternative_to: null,
    feedback: [],
    created_at: serial,
    ...more,
  } as Item;
}

function live(more: Partial<Live> = {}): Live {
  return {
    question: "q2",
    regenerates: null,
    phase: "writing",
    recordId: "r9",
    text: "so far",
    annotations: [],
    error: null,
    timing: { startedAt: 0, firstTextMs: null, durationMs: null, usage: null, finish: null },
    ...more,
  };
}

const stored = [
  item("user", "q1"),
  item("assistant", "a1", { record_id: "r1" }),
  item("user", "q2"),
  item("assistant", "a2", { record_id: "r2" }),
  item("assistant", "a1 again", { record_id: "r3", alternative_to: "r1" }),
];

test("an alternative stands beside the answer that it was regenerated from", () => {
  const turns = turnsOf(stored);
  expect(turns.map(({ answers }) => answers.map(({ text }) => text))).toEqual([
    ["a1", "a1 again"],
    ["a2"],
  ]);
});

test("what is being written becomes a turn of its own, or an alternative", () => {
  const turns = turnsOf(stored);
  expect(withLive(turns, live({ question: "q3" }))).toHaveLength(3);
  const beside = withLive(turns, live({ regenerates: "r2" }));
  expect(beside).toHaveLength(2);
  expect(beside[1]?.answers.map(({ text }) => text)).toEqual(["a2", "so far"]);
});

test("an alternative whose original is not loaded yet is shown all the same", () => {
  const turns = withLive([], live({ regenerates: "r2" }));
  expect(turns.map(({ question, answers }) => [question, answers.length])).toEqual([["q2", 1]]);
});

test("a new question is a turn of its own although nothing is recorded", () => {
  const unrecorded = turnsOf([item("user", "q1"), item("assistant", "a1")]);
  expect(withLive(unrecorded, live({ recordId: null }))).toHaveLength(2);
});

test("an answer that the server has stored is not shown twice", () => {
  expect(withLive(turnsOf(stored), live({ recordId: "r2" }))).toEqual(turnsOf(stored));
});

test("a failure shows on the answer that was stored of it", () => {
  const turns = withLive(turnsOf(stored), live({ recordId: "r2", phase: "failed" }));
  expect(turns[1]?.answers[0]?.live?.phase).toBe("failed");
});

test("the preferred answer stands for its turn, or else the newest", () => {
  const turn = turnsOf(stored)[0]!;
  expect(standing(turn)).toBe(1);
  turn.answers[0]!.feedback = [{ metric: "preference" } as never];
  expect(standing(turn)).toBe(0);
});

test("the model is told of answers, not of failures", () => {
  const turns = withLive(turnsOf(stored), live({ question: "q3", phase: "failed" }));
  const messages = messagesOf(turns, (position) => standing(turns[position]!));
  expect(messages.map(({ content }) => content)).toEqual(["q1", "a1 again", "q2", "a2"]);
});
