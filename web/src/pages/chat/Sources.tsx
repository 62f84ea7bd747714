/** The passages that an answer cites, as a row under it. */
import type { FileCitation } from "../../api/types";
import { placeOf } from "./CitationChip";
import classes from "./Sources.module.css";

interface SourcesProps {
  sources: { citation: FileCitation; quotes: string[] }[];
  onOpen: (citation: FileCitation, quotes: string[]) => void;
}

export function Sources({ sources, onOpen }: SourcesProps) {
  return (
    <ul className={`${classes.sources} rise`} aria-label="Sources">
      {sources.map(({ citation, quotes }) => (
        <li key={citation.number}>
          <button
            type="button"
            className={classes.source}
            onClick={() => onOpen(citation, quotes)}
          >
            <span className={classes.number}>{citation.number}</span>
            <span className={classes.place}>{placeOf(citation)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
