/** The answer with its citations; a click on one opens the passage. */
import { useCallback } from "react";

import type { FileCitation } from "../../api/types";
import { Markdown } from "../../components/Markdown";
import type { PassagePlace } from "../../components/PassageDrawer";
import { CitationChip } from "../chat/CitationChip";
import type { Cited } from "../chat/cited";

interface AnswerTextProps {
  text: string;
  cited: Cited;
  onOpen: (place: PassagePlace) => void;
}

export function AnswerText({ text, cited, onOpen }: AnswerTextProps) {
  const draw = useCallback(
    (number: number, offset: number) => {
      const citation = cited.at(number, offset);
      if (citation === null) return `[${number}]`;
      const open = ({ store_id, chunk_id, filename }: FileCitation, quotes: string[]) =>
        onOpen({ store_id, chunk_id, filename, quotes });
      return <CitationChip number={number} citation={citation} onOpen={open} />;
    },
    [cited, onOpen],
  );
  return <Markdown text={text} citation={draw} />;
}
