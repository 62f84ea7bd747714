import { expect, test } from "vitest";

import { excerpt } from "../src/components/excerpt";

test("headings, lists, links and marks become running text", () => {
  const text = "# Keys\n\nA key is **shown `once`**:\n\n- see [keys](security.md)\n2. *or* ask\n\n> quoted";
  expect(excerpt(text)).toBe("A key is shown once: see keys or ask quoted");
});

test("tables become their cells", () => {
  expect(excerpt("| a | b |\n|---|:--|\n| 1 | 2 |")).toBe("a · b 1 · 2");
});

test("code keeps its signs, without the fence", () => {
  expect(excerpt("```python\nprint(2 * 3)\n```")).toBe("print(2 * 3)");
  expect(excerpt("2*3 is 6, a_b stays")).toBe("2*3 is 6, a_b stays");
});

test("a text of headings alone is empty", () => {
  expect(excerpt("# One\n## Two\n")).toBe("");
});
