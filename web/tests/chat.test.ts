import { expect, test } from "vitest";

import { errorOf } from "../src/api/errors";
import type { Conversation } from "../src/api/types";
import { bytes, duration } from "../src/format";
import { byAge } from "../src/pages/chat/age";
import { DEFAULTS, sampling } from "../src/pages/chat/parameters";
import { subjectOf, suggest } from "../src/pages/chat/suggestions";

test("what is not set is left to the model", () => {
  expect(sampling(DEFAULTS, false)).toEqual({});
});

test("another answer varies, and does not repeat the seed", () => {
  expect(sampling({ ...DEFAULTS, seed: 7 }, true)).toEqual({ temperature: 0.8 });
  expect(sampling({ ...DEFAULTS, temperature: 0, seed: 7 }, true)).toEqual({ temperature: 0 });
});

test.each([
  ["docs/getting-started.md", "getting started"],
  ["C:\\files\\Travel_Policy.docx", "Travel Policy"],
  ["README.md", null],
  ["2024-11-03.pdf", null],
])("%s is about %s", (filename, subject) => {
  expect(subjectOf(filename)).toBe(subject);
});

test("documents without telling names still give a question", () => {
  expect(suggest(true, ["index.md"])).toHaveLength(1);
  expect(suggest(true, ["a/security.md", "b/security.pdf", "keys.md"])).toEqual([
    "What do the documents say about security?",
    "What do the documents say about keys?",
  ]);
});

const at = (date: Date) => ({ updated_at: date.getTime() / 1000 }) as Conversation;

test("conversations are grouped by the days of the person's calendar", () => {
  const now = new Date(2026, 10, 24, 0, 30);
  const groups = byAge(
    [
      at(new Date(2026, 10, 24, 0, 10)),
      at(new Date(2026, 10, 23, 23, 50)),
      at(new Date(2026, 10, 20)),
      at(new Date(2026, 9, 30)),
      at(new Date(2025, 1, 1)),
    ],
    now,
  );
  expect(groups.map(({ label }) => label)).toEqual([
    "Today",
    "Yesterday",
    "Last seven days",
    "Last thirty days",
    "Older",
  ]);
});

test("sizes and times read naturally at the edges", () => {
  expect([0, 999, 1000, 9_949, 491_400_064, 999_600_000].map(bytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "9.9 kB",
    "491 MB",
    "1.0 GB",
  ]);
  expect([412.4, 3140, 59_999, 125_000].map(duration)).toEqual([
    "412 ms",
    "3.1 s",
    "1 m 00 s",
    "2 m 05 s",
  ]);
});

test("an error says what the server said, and something sensible when it said nothing", () => {
  const told = errorOf({ error: { message: "no model 'x'", code: "model_not_found" } }, 404);
  expect([told.message, told.code]).toEqual(["no model 'x'", "model_not_found"]);
  expect(errorOf(null, 502).message).toContain("502");
});
