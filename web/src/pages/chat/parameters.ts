/** What the person set for their chats; kept in this browser. */
import { useLocalStorage } from "@mantine/hooks";

import type { ChatBody } from "../../api/stream";

export interface Parameters {
  model: string | null;
  system: string;
  temperature: number | null;
  topP: number | null;
  maxTokens: number | null;
  seed: number | null;
  stop: string[];
}

export const DEFAULTS: Parameters = {
  model: null,
  system: "",
  temperature: null,
  topP: null,
  maxTokens: null,
  seed: null,
  stop: [],
};

/** How far an answer may stray when another one is wanted and no temperature is set. */
const ANOTHER = 0.8;

export function useParameters(): [Parameters, (change: Partial<Parameters>) => void] {
  const [stored, setStored] = useLocalStorage<Partial<Parameters>>({
    key: "headstart-chat-parameters",
    defaultValue: {},
    getInitialValueInEffect: false,
  });
  return [
    { ...DEFAULTS, ...stored },
    (change) => setStored((before) => ({ ...before, ...change })),
  ];
}

/** How many parameters differ from "as the model has it". */
export function changed({ model: _, ...parameters }: Parameters): number {
  const { model: _default, ...defaults } = DEFAULTS;
  return Object.entries(defaults).filter(
    ([name, value]) =>
      JSON.stringify(parameters[name as keyof typeof defaults]) !== JSON.stringify(value),
  ).length;
}

/** The parameters as the API names them; what is not set is left to the model. */
export function sampling(parameters: Parameters, another: boolean): Partial<ChatBody> {
  const { temperature, topP, maxTokens, seed, stop } = parameters;
  const body: Partial<ChatBody> = {};
  if (temperature !== null) body.temperature = temperature;
  else if (another) body.temperature = ANOTHER;
  if (topP !== null) body.top_p = topP;
  if (maxTokens !== null) body.max_tokens = maxTokens;
  if (seed !== null && !another) body.seed = seed; // the same seed would give the same answer
  if (stop.length > 0) body.stop = stop;
  return body;
}
