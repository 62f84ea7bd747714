/** One conversation: its turns, and what can be done with them. */
import { useCallback, useMemo, useState } from "react";
import { useNavigate } from "react-router";

import type { ChatMessage } from "../../api/stream";
import type { Model } from "../../api/types";
import { notifyError } from "../../components/notify";
import { create, refreshConversations, useItems } from "./conversations";
import { exchanges, useLive } from "./exchanges";
import { sampling, type Parameters } from "./parameters";
import { messagesOf, standing, turnsOf, withLive } from "./turns";

export function useChat(conversationId: string | undefined, model: Model | null, parameters: Parameters) {
  const items = useItems(conversationId);
  const live = useLive(conversationId);
  const navigate = useNavigate();
  const [shown, setShown] = useState<Record<string, number>>({});
  const turns = useMemo(() => withLive(turnsOf(items.data ?? []), live), [items.data, live]);
  const busy = live?.phase === "waiting" || live?.phase === "writing";

  const keyOf = (position: number) => `${conversationId ?? ""} ${position}`;

  function shownOf(position: number): number {
    const turn = turns[position];
    if (turn === undefined) return 0;
    return Math.min(shown[keyOf(position)] ?? standing(turn), turn.answers.length - 1);
  }

  function show(position: number, index: number): void {
    setShown((before) => ({ ...before, [keyOf(position)]: index }));
  }

  function ask(id: string, question: string, before: ChatMessage[], regenerates?: string): void {
    if (model === null) return;
    const messages: ChatMessage[] = [...before, { role: "user", content: question }];
    if (parameters.system.trim() !== "") {
      messages.unshift({ role: "system", content: parameters.system });
    }
    void exchanges.start(id, question, {
      model: model.id,
      messages,
      regenerates,
      ...sampling(parameters, regenerates !== undefined),
    });
  }

  async function send(question: string): Promise<boolean> {
    if (conversationId !== undefined) {
      ask(conversationId, question, messagesOf(turns, shownOf));
      return true;
    }
    try {
      const { id } = await create(question);
      ask(id, question, []);
      void refreshConversations();
      await navigate(`/chat/${id}`);
      return true;
    } catch (error) {
      notifyError(error, "The conversation could not be started");
      return false;
    }
  }

  /** Another answer to the last turn, beside the one that is shown. */
  function regenerate(): void {
    const position = turns.length - 1;
    const turn = turns[position];
    const over = turn?.answers[shownOf(position)]?.recordId;
    if (conversationId === undefined || turn === undefined || !over) return;
    show(position, turn.answers.length);
    ask(conversationId, turn.question, messagesOf(turns.slice(0, -1), shownOf), over);
  }

  /** Asks again what failed. */
  function retry(): void {
    if (conversationId === undefined || live === null) return;
    const earlier = turns.slice(0, -1);
    ask(conversationId, live.question, messagesOf(earlier, shownOf), live.regenerates ?? undefined);
  }

  const stop = useCallback(() => {
    if (conversationId !== undefined) exchanges.stop(conversationId);
  }, [conversationId]);

  return { items, turns, busy, shownOf, show, send, regenerate, retry, stop };
}
