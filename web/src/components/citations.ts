/** Finds the marks `[1]` in Markdown text, outside of code and links, and where each begins. */
import type { Nodes, Parents, PhrasingContent, Root } from "mdast";

const MARK = /(\s?)\[(\d{1,3})\]/g;

export function remarkCitations() {
  return (tree: Root) => visit(tree);
}

function visit(node: Nodes): void {
  if (!("children" in node) || node.type === "link") return;
  const parent: Parents = node;
  parent.children = parent.children.flatMap((child): Nodes[] =>
    child.type === "text" ? split(child.value, child.position?.start.offset ?? 0) : [child],
  ) as typeof parent.children;
  for (const child of parent.children) visit(child);
}

function split(text: string, offset: number): PhrasingContent[] {
  const parts: PhrasingContent[] = [];
  let from = 0;
  for (const match of text.matchAll(MARK)) {
    const [whole, space = "", number = ""] = match;
    if (match.index > from) parts.push({ type: "text", value: text.slice(from, match.index) });
    parts.push({
      type: "emphasis",
      data: { hName: "sup", hProperties: { dataCitation: number, dataOffset: offset + match.index + space.length } },
      children: [{ type: "text", value: number }],
    });
    from = match.index + whole.length;
  }
  if (from < text.length) parts.push({ type: "text", value: text.slice(from) });
  return parts;
}
