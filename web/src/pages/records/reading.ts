/** What a record says in words: the question, the answer, and how it went. */
import type { Annotation, CallRecord } from "../../api/types";
import type { Tone } from "../../components/Status";

export const STATUSES: Record<CallRecord["status"], { tone: Tone; label: string }> = {
  completed: { tone: "good", label: "Completed" },
  cancelled: { tone: "idle", label: "Cancelled" },
  failed: { tone: "bad", label: "Failed" },
};

/** The last message of the person, or what was to be completed or embedded. */
export function questionOf({ request }: CallRecord): string {
  const { messages, prompt, input } = request;
  if (Array.isArray(messages)) {
    const last = messages.findLast((message) => read(message, "role") === "user") ?? messages.at(-1);
    return textOf(read(last, "content"));
  }
  return textOf(prompt ?? input);
}

/** How many messages came before the question. */
export function earlierThan({ request }: CallRecord): number {
  const { messages } = request;
  if (!Array.isArray(messages)) return 0;
  return Math.max(0, messages.findLastIndex((message) => read(message, "role") === "user"));
}

/** How many answers the call gave: more than one where `n` asked for them. */
export function choicesOf({ output }: CallRecord): number {
  return Array.isArray(output.choices) ? output.choices.length : 0;
}

export function answerOf(record: CallRecord, index = 0): string {
  const choice = choiceOf(record, index);
  const message = read(choice, "message");
  const text = textOf(read(message, "content") ?? read(message, "refusal") ?? read(choice, "text"));
  if (text !== "") return text;
  const calls = read(message, "tool_calls");
  if (!Array.isArray(calls)) return "";
  return calls
    .map((each) => read(each, "function"))
    .map((one) => `\`${textOf(read(one, "name"))}(${textOf(read(one, "arguments"))})\``)
    .join("\n\n");
}

export function annotationsOf(record: CallRecord, index = 0): Annotation[] {
  const annotations = read(read(choiceOf(record, index), "message"), "annotations");
  return Array.isArray(annotations) ? (annotations as Annotation[]) : [];
}

/** Why the answer ended: "stop", "length", "tool calls". */
export function endOf(record: CallRecord): string | null {
  const reason = read(choiceOf(record, 0), "finish_reason");
  return typeof reason === "string" ? reason.replaceAll("_", " ") : null;
}

/** Of the calls of a conversation those that answer the same question, oldest first. */
export function alternativesOf(record: CallRecord, calls: CallRecord[]): CallRecord[] {
  const before = new Map(calls.map(({ id, alternative_to: other }) => [id, other]));
  const first = (id: string): string => {
    const earlier = before.get(id);
    return earlier == null ? id : first(earlier);
  };
  const own = first(record.id);
  return calls
    .filter(({ id }) => id !== record.id && first(id) === own)
    .toSorted((one, other) => one.created_at - other.created_at);
}

function choiceOf({ output }: CallRecord, index: number): unknown {
  return Array.isArray(output.choices) ? output.choices[index] : undefined;
}

function read(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Record<string, unknown>)[name] ?? undefined;
}

/** Content is a text, or a list of texts or of parts that have one. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part) => (typeof part === "string" ? part : textOf(read(part, "text"))))
    .filter((text) => text !== "")
    .join("\n");
}
