/**
 * Highlights quotes in rendered Markdown, each where it is first found.
 *
 * A quote may hold Markdown that the page no longer shows (`**`, `|`, line breaks), so letters
 * and digits alone are compared, and the match is mapped back to the text nodes that it crosses.
 */
import type { Element, ElementContent, Root, Text } from "hast";

interface Piece {
  parent: Root | Element;
  node: Text;
}

export function rehypeMark({ quotes }: { quotes: string[] }) {
  return (tree: Root) => {
    for (const quote of quotes) mark(tree, quote);
  };
}

function mark(tree: Root, quote: string): void {
  const pieces = textsOf(tree);
  const span = find(pieces.map(({ node }) => node.value).join(""), quote);
  if (span === null) return;
  let offset = 0;
  for (const { parent, node } of pieces) {
    const start = Math.max(span.start - offset, 0);
    const end = Math.min(span.end - offset, node.value.length);
    offset += node.value.length;
    if (start < end && node.value.slice(start, end).trim() !== "") wrap(parent, node, start, end);
  }
}

/** Where `quote` is in `text`, whatever stands between the letters and digits of both. */
export function find(text: string, quote: string): { start: number; end: number } | null {
  const hay = letters(text);
  const needle = letters(quote);
  if (needle.text === "") return null;
  const at = hay.text.indexOf(needle.text);
  const first = hay.offsets[at];
  const last = hay.offsets[at + needle.text.length - 1];
  if (at < 0 || first === undefined || last === undefined) return null;
  return { start: first, end: last + 1 };
}

function letters(text: string): { text: string; offsets: number[] } {
  let kept = "";
  const offsets: number[] = [];
  for (const { 0: letter, index } of text.matchAll(/[\p{L}\p{N}]/gu)) {
    kept += letter.toLowerCase().length === letter.length ? letter.toLowerCase() : letter;
    for (let unit = 0; unit < letter.length; unit += 1) offsets.push(index + unit);
  }
  return { text: kept, offsets };
}

function textsOf(parent: Root | Element): Piece[] {
  return parent.children.flatMap((child): Piece[] => {
    if (child.type === "text") return [{ parent, node: child }];
    return child.type === "element" ? textsOf(child) : [];
  });
}

function wrap(parent: Root | Element, node: Text, start: number, end: number): void {
  const { value } = node;
  const marked: ElementContent = {
    type: "element",
    tagName: "mark",
    properties: {},
    children: [{ type: "text", value: value.slice(start, end) }],
  };
  const parts: ElementContent[] = [
    { type: "text", value: value.slice(0, start) },
    marked,
    { type: "text", value: value.slice(end) },
  ];
  const at = parent.children.indexOf(node);
  parent.children.splice(at, 1, ...parts.filter((p) => p.type !== "text" || p.value !== ""));
}
