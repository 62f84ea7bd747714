/** Markdown as running text, for a line or two: marks, headings and blank lines only take room. */
export function excerpt(markdown: string): string {
  return markdown
    .replaceAll(/^[ \t]*(?:```|~~~).*$/gm, "")
    .replaceAll(/^#+[ \t].*$/gm, "")
    .replaceAll(/^[ \t]*\|?[ \t:|-]*-{3}[ \t:|-]*$/gm, "")
    .replaceAll(/^[ \t]*\|(.*)\|[ \t]*$/gm, (_, cells: string) => cells.replaceAll("|", "·"))
    .replaceAll(/^[ \t]*(?:[-*+>]|\d+[.)])[ \t]+/gm, "")
    .replaceAll(/!?\[([^\]\n]*)\]\([^)\n]*\)/g, "$1")
    .replaceAll(/(\*{1,3})(\S(?:.*?\S)?)\1/g, "$2")
    .replaceAll(/(`+)(.+?)\1/g, "$2")
    .replaceAll(/\s+/g, " ")
    .trim();
}
