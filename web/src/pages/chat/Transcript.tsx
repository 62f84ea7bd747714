/** The turns of a conversation. */
import { VisuallyHidden } from "@mantine/core";

import type { FileCitation } from "../../api/types";
import { AnswerView } from "./Answer";
import { AnswerActions } from "./AnswerActions";
import classes from "./Transcript.module.css";
import type { Turn } from "./turns";

interface TranscriptProps {
  conversationId: string;
  turns: Turn[];
  shownOf: (position: number) => number;
  onShow: (position: number, index: number) => void;
  onOpen: (citation: FileCitation, quotes: string[]) => void;
  /** Asks for another answer to the last turn. */
  onRegenerate: () => void;
  onRetry: () => void;
  busy: boolean;
}

export function Transcript(props: TranscriptProps) {
  const { conversationId, turns, shownOf, onShow, onOpen, onRegenerate, onRetry, busy } = props;
  return (
    <div className={classes.transcript} aria-live="polite" aria-busy={busy}>
      {turns.map((turn, position) => {
        const shown = shownOf(position);
        const answer = turn.answers[shown];
        const last = position === turns.length - 1;
        const writing = answer?.live?.phase === "waiting" || answer?.live?.phase === "writing";
        return (
          <section key={position} className={classes.turn}>
            <div className={classes.question}>
              <VisuallyHidden>You said: </VisuallyHidden>
              {turn.question}
            </div>
            {answer && <AnswerView answer={answer} onOpen={onOpen} onRetry={onRetry} />}
            {answer?.recordId && !writing && answer.live?.phase !== "failed" && (
              <AnswerActions
                key={answer.recordId}
                conversationId={conversationId}
                answer={{ ...answer, recordId: answer.recordId }}
                alternatives={turn.answers}
                shown={shown}
                onShow={(index) => onShow(position, index)}
                onRegenerate={last && !busy ? onRegenerate : undefined}
              />
            )}
          </section>
        );
      })}
    </div>
  );
}
