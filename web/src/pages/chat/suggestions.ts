/** A few questions to begin with: from the documents' names where there are documents. */
const GENERAL = [
  "Explain recursion to someone who has never programmed",
  "Write a Python function that removes duplicates from a list but keeps its order",
  "Turn these notes into a polite email: meeting moved to Tuesday, room 4, bring the figures",
];

const UNTELLING = /^(index|readme|changelog|license|untitled|document|scan|page)$/i;

export function suggest(fromDocuments: boolean, files: string[]): string[] {
  if (!fromDocuments) return GENERAL;
  const subjects = [...new Set(files.map(subjectOf))].filter((one) => one !== null);
  const questions = subjects.slice(0, 3).map((subject) => `What do the documents say about ${subject}?`);
  return questions.length > 0 ? questions : ["What are these documents about?"];
}

/** "docs/getting-started.md" → "getting started"; null for a name that says nothing. */
export function subjectOf(filename: string): string | null {
  const stem = filename.replace(/^.*[\\/]/, "").replace(/\.[^.]*$/, "");
  const words = stem.replaceAll(/[-_.\s]+/g, " ").trim();
  if (words.length < 3 || UNTELLING.test(words) || !/\p{L}{3}/u.test(words)) return null;
  return words;
}
