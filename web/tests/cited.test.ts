import { expect, test } from "vitest";

import type { Annotation } from "../src/api/types";
import { Cited } from "../src/pages/chat/cited";

function cite(number: number, start_index: number, quote: string): Annotation {
  return {
    type: "url_citation",
    url_citation: { url: "", title: "", start_index, end_index: start_index + 3 },
    file_citation: { number, quote },
  } as Annotation;
}

const text = "𝒜 first claim [1]. Another [2], and a third [1].";
const characters = [...text];
const cited = new Cited(text, [
  cite(1, characters.indexOf("["), "first"),
  cite(2, characters.indexOf("[", 20), "second"),
  cite(1, characters.lastIndexOf("["), "third"),
]);

test("each mark leads to what it quotes, although the server counts other units", () => {
  expect(cited.at(1, text.indexOf("["))?.quote).toBe("first");
  expect(cited.at(2, text.indexOf("[2"))?.quote).toBe("second");
  expect(cited.at(1, text.lastIndexOf("["))?.quote).toBe("third");
});

test("a mark that was moved a little by Markdown leads to the nearest", () => {
  expect(cited.at(1, text.lastIndexOf("[") - 6)?.quote).toBe("third");
});

test("a number without a citation leads nowhere", () => {
  expect(cited.at(3, 0)).toBeNull();
});

test("a passage is listed once, with all its quotes", () => {
  const listed = cited.passages().map(({ citation, quotes }) => [citation.number, quotes]);
  expect(listed).toEqual([
    [1, ["first", "third"]],
    [2, ["second"]],
  ]);
});
