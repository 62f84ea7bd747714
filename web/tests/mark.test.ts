import { expect, test } from "vitest";

import { find } from "../src/components/mark";

test.each([
  ["a plain quote", "One. Two three. Four.", "Two three", "Two three"],
  ["Markdown in the quote", "Keys are stored as hashes.", "Keys are **stored** as `hashes`", "Keys are stored as hashes"],
  ["other white space", "first line second line", "line\n  second", "line second"],
  ["other letter case", "Binding is refused.", "binding IS", "Binding is"],
  ["letters beyond ASCII", "Größe: 10 µm, naïve", "größe: 10", "Größe: 10"],
  ["letters of two code units", "𝒜 proof 𝒷 here", "proof 𝒷", "proof 𝒷"],
])("%s is found", (_name, text, quote, found) => {
  const span = find(text, quote);
  expect(span && text.slice(span.start, span.end)).toBe(found);
});

test.each([
  ["absent", "abc", "xyz"],
  ["without letters", "abc", "**"],
  ["longer than the text", "abc", "abcd"],
])("a quote that is %s is not found", (_name, text, quote) => {
  expect(find(text, quote)).toBeNull();
});
