/** The passages that an answer cites, as a row under it. */
import type { FileCitation } from "../../api/types";
import { placeOf } from "./CitationChip";
import classes from "./Sources.module.css";

interface SourcesProps {
  citations: FileCitation[];
  onOpen: (citation: FileCitation) => void;
}

export function Sources({ citations, onOpen }: SourcesProps) {
  const sorted = citations.toSorted((a, b) => a.number - b.number);
  return (
    <ul className={`${classes.sources} rise`} aria-label="Sources">
      {sorted.map((citation) => (
        <li key={citation.number}>
          <button type="button" className={classes.source} onClick={() => onOpen(citation)}>
            <span className={classes.number}>{citation.number}</span>
            <span className={classes.place}>{placeOf(citation)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
