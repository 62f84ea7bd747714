/** The number of a passage in the text. Hovering shows where it is from, a click opens it. */
import { HoverCard, Text } from "@mantine/core";

import type { FileCitation } from "../../api/types";
import classes from "./CitationChip.module.css";

const JOINER = "\u2060"; // keeps the chip on the line of its word, and the full stop with it

interface CitationChipProps {
  number: number;
  /** Absent while the answer is being written. */
  citation?: FileCitation;
  onOpen?: (citation: FileCitation, quotes: string[]) => void;
}

export function CitationChip({ number, citation, onOpen }: CitationChipProps) {
  return (
    <>
      {JOINER}
      {citation === undefined ? (
        <sup className={classes.chip}>{number}</sup>
      ) : (
        <Source number={number} citation={citation} onOpen={onOpen} />
      )}
      {JOINER}
    </>
  );
}

interface SourceProps extends CitationChipProps {
  citation: FileCitation;
}

function Source({ number, citation, onOpen }: SourceProps) {
  return (
    <HoverCard width={320} shadow="md" openDelay={250} position="top" withinPortal>
      <HoverCard.Target>
        <button
          type="button"
          className={classes.chip}
          data-citation={number}
          aria-label={`Source ${number}: ${placeOf(citation)}`}
          onClick={() => onOpen?.(citation, [citation.quote])}
        >
          {number}
        </button>
      </HoverCard.Target>
      <HoverCard.Dropdown>
        <Text size="sm" fw={550} truncate>
          {placeOf(citation)}
        </Text>
        <Text size="sm" c="dimmed" lineClamp={4} mt={4}>
          {citation.quote}
        </Text>
      </HoverCard.Dropdown>
    </HoverCard>
  );
}

export function placeOf({ filename, page }: Pick<FileCitation, "filename" | "page">): string {
  return page == null ? filename : `${filename}, page ${page}`;
}
