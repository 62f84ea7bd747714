/** The models of the hub: how they are asked for, sorted out and named. */
import { queryOptions } from "@tanstack/react-query";

import { api, call } from "../../api/client";
import type { HubModel, HuggingFaceSource, PackageSource } from "../../api/types";
import { bytes, count, short } from "../../format";
import { engineOf } from "../endpoints/endpoints";

export type Task = HubModel["task"];
export type Variant = HubModel["variants"][number];
export type Source = Variant["sources"][number];

export interface Filter {
  words: string;
  task: Task | "all";
  installed: boolean;
}

export const TASKS: { value: Filter["task"]; label: string }[] = [
  { value: "all", label: "All" },
  { value: "chat", label: "Chat" },
  { value: "seq2seq", label: "Text to text" },
  { value: "embedding", label: "Embedding" },
  { value: "rerank", label: "Rerank" },
];

export const hubQuery = queryOptions({
  queryKey: ["hub"],
  queryFn: () => call(api.GET("/v1/hub/models", { params: { query: { limit: 1000 } } })),
  staleTime: 30_000,
});

const languageNames = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });
const LANGUAGES_SHOWN = 3;

/** The models that have every word and pass the other filters. */
export function matching(models: HubModel[], { words, task, installed }: Filter): HubModel[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return models.filter(
    (model) =>
      (task === "all" || model.task === task) &&
      (!installed || model.installed) &&
      wanted.every((word) => textOf(model).includes(word)),
  );
}

function textOf({ name, title, description, family, license, languages }: HubModel): string {
  return [name, title, description, family, license, ...languages.map(languageOf)]
    .join("\n")
    .toLowerCase();
}

export function languageOf(code: string): string {
  if (code === "multilingual") return "Multilingual";
  try {
    return languageNames.of(code) ?? code;
  } catch {
    return code;
  }
}

/** ["en", "fr", "de", "it", "es"] → "English, French, German and 2 more". */
export function languagesOf({ languages }: HubModel): string {
  const names = languages.map(languageOf);
  if (names.length <= LANGUAGES_SHOWN) return names.join(", ");
  return `${names.slice(0, LANGUAGES_SHOWN).join(", ")} and ${names.length - LANGUAGES_SHOWN} more`;
}

/** What is, or would be, downloaded: the installed variant, else the one that is taken first. */
export function sizeOf({ variants, installed_variant: installed }: HubModel): string {
  const variant = variants.find(({ name }) => name === installed) ?? variants[0];
  return variant ? bytes(variant.bytes) : "–";
}

export function factsOf(model: HubModel): [string, string][] {
  return [
    ["Parameters", short(model.parameters)],
    ["Download", sizeOf(model)],
    ["Context", count(model.context_length, "token")],
    ["Licence", model.license.replaceAll("-", " ")],
  ];
}

export function taskOf({ task }: HubModel): string {
  return TASKS.find(({ value }) => value === task)?.label ?? task;
}

export function variantsOf({ variants }: HubModel): { value: string; label: string }[] {
  return variants.map(({ name, bytes: size }) => ({ value: name, label: `${name}, ${bytes(size)}` }));
}

/** The engines that can be asked for, beside the automatic choice. */
export function enginesOf({ task }: HubModel): { value: string; label: string }[] {
  const own = { chat: ["openvino"], embedding: ["openvino-embeddings"], seq2seq: [], rerank: [] };
  const names = [...own[task], "llamacpp"];
  return [
    { value: "auto", label: "Automatic" },
    ...names.map((value) => ({ value, label: engineOf(value) })),
  ];
}

interface Origin {
  kind: string;
  /** What is fetched, one line each. */
  what: string[];
  href?: string;
}

/** Where the weights come from, for people. */
export function originOf(source: Source): Origin {
  if (isHuggingFace(source)) {
    const href = `https://huggingface.co/${source.repo}`;
    return { kind: "Hugging Face", what: [source.repo], href };
  }
  if (isPackage(source)) {
    const what = source.wheels.map(({ requirement, bytes: size }) => `${requirement}, ${bytes(size)}`);
    return { kind: what.length === 1 ? "Python package" : "Python packages, joined", what };
  }
  return { kind: source.kind, what: [] };
}

function isHuggingFace(source: Source): source is HuggingFaceSource {
  return source.kind === "hf";
}

function isPackage(source: Source): source is PackageSource {
  return source.kind === "package";
}
