/** One answer: its text with citations, what it stands on, and what can be done with it. */
import { Button, Group, Loader, Text } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import { useCallback, useMemo } from "react";

import { messageOf } from "../../api/errors";
import type { FileCitation } from "../../api/types";
import { Markdown } from "../../components/Markdown";
import classes from "./Answer.module.css";
import { CitationChip } from "./CitationChip";
import { Cited } from "./cited";
import { exchanges } from "./exchanges";
import { Sources } from "./Sources";
import type { Answer } from "./turns";

interface AnswerViewProps {
  answer: Answer;
  onOpen: (citation: FileCitation, quotes: string[]) => void;
  onRetry: () => void;
}

export function AnswerView({ answer, onOpen, onRetry }: AnswerViewProps) {
  const { recordId, text, live, annotations } = answer;
  const writing = live?.phase === "waiting" || live?.phase === "writing";
  const cited = useMemo(() => new Cited(text, annotations), [text, annotations]);
  const sources = cited.passages();
  const timing = live?.timing ?? (recordId === null ? null : exchanges.timingOf(recordId));
  const finish = timing?.finish;

  const draw = useCallback(
    (number: number, offset: number) => {
      const citation = cited.at(number, offset);
      if (citation === null) return writing ? <CitationChip number={number} /> : `[${number}]`;
      return <CitationChip number={number} citation={citation} onOpen={onOpen} />;
    },
    [cited, onOpen, writing],
  );

  return (
    <div className={classes.answer} data-writing={live?.phase === "writing" || undefined}>
      {text === "" && writing ? <Waiting /> : <Markdown text={text} citation={draw} />}
      {answer.incomplete && !writing && <p className={classes.note}>You stopped this answer.</p>}
      {finish === "length" && (
        <p className={classes.note}>The answer reached its token limit and ends here.</p>
      )}
      {live?.phase === "failed" && <Failure error={live.error} onRetry={onRetry} />}
      {sources.length > 0 && <Sources sources={sources} onOpen={onOpen} />}
    </div>
  );
}

function Waiting() {
  return (
    <Group gap="xs" c="dimmed" role="status">
      <Loader type="dots" size="sm" color="gray" />
      <Text size="sm">Thinking</Text>
    </Group>
  );
}

function Failure({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return (
    <div className={classes.failure} role="alert">
      <IconAlertTriangle size={20} stroke={1.6} aria-hidden className={classes.sign} />
      <div>
        <Text size="sm" fw={550}>
          The answer could not be completed
        </Text>
        <Text size="sm" c="dimmed" mt={2}>
          {messageOf(error)}
        </Text>
        <Button
          mt="sm"
          size="xs"
          variant="default"
          leftSection={<IconRefresh size={15} aria-hidden />}
          onClick={onRetry}
        >
          Try again
        </Button>
      </div>
    </div>
  );
}
