/** What was found and put before the model; those that the answer cites are marked. */
import { Text, Title } from "@mantine/core";

import type { CallRecord } from "../../api/types";
import { excerpt } from "../../components/excerpt";
import type { PassagePlace } from "../../components/PassageDrawer";
import { placeOf } from "../chat/CitationChip";
import type { Cited } from "../chat/cited";
import classes from "./Passages.module.css";

interface PassagesProps {
  passages: CallRecord["passages"];
  cited: Cited;
  onOpen: (place: PassagePlace) => void;
}

export function Passages({ passages, cited, onOpen }: PassagesProps) {
  const quotes = new Map(cited.passages().map((one) => [one.citation.number, one.quotes]));
  return (
    <section aria-label="Passages">
      <Title order={3}>Passages</Title>
      <ul className={classes.passages}>
        {passages.map((passage) => (
          <li key={passage.number}>
            <button
              type="button"
              className={classes.passage}
              onClick={() => onOpen({ ...placed(passage), quotes: quotes.get(passage.number) })}
            >
              <span className={classes.number} data-cited={passage.cited || undefined}>
                {passage.number}
              </span>
              <span className={classes.body}>
                <span className={classes.head}>
                  <span className={classes.name}>{placeOf(passage)}</span>
                  {passage.cited && <span className={classes.cited}>cited</span>}
                  <span className={classes.score} title="Score">
                    {passage.score.toFixed(2)}
                  </span>
                </span>
                <Text component="span" size="sm" c="dimmed" lineClamp={2}>
                  {excerpt(passage.text) || passage.text}
                </Text>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function placed({ store_id, chunk_id, filename }: CallRecord["passages"][number]): PassagePlace {
  return { store_id, chunk_id, filename };
}
