/** The citations of an answer, found by the mark in its text that a person clicks. */
import type { Annotation, FileCitation } from "../../api/types";

interface Placed {
  citation: FileCitation;
  /** Where its mark begins in the text, in JavaScript's units. */
  offset: number;
}

export class Cited {
  private readonly placed: Placed[];

  constructor(text: string, annotations: Annotation[]) {
    const offsets = unitsOfCharacters(text);
    this.placed = annotations.flatMap(({ file_citation: citation, url_citation: at }) => {
      if (!citation) return [];
      return [{ citation, offset: offsets[at?.start_index ?? 0] ?? 0 }];
    });
  }

  /** The citation of the mark `[number]` at `offset`, or of the nearest one with that number. */
  at(number: number, offset: number): FileCitation | null {
    const same = this.placed.filter(({ citation }) => citation.number === number);
    const distance = (one: Placed) => Math.abs(one.offset - offset);
    return same.toSorted((a, b) => distance(a) - distance(b))[0]?.citation ?? null;
  }

  /** The passages that are cited, by number, each with all that is quoted of it. */
  passages(): { citation: FileCitation; quotes: string[] }[] {
    const numbers = [...new Set(this.placed.map(({ citation }) => citation.number))];
    return numbers
      .toSorted((a, b) => a - b)
      .flatMap((number) => {
        const same = this.placed.filter(({ citation }) => citation.number === number);
        const first = same[0];
        if (first === undefined) return [];
        return [{ citation: first.citation, quotes: same.map(({ citation }) => citation.quote) }];
      });
  }
}

/** The server counts characters; JavaScript counts UTF-16 units. */
function unitsOfCharacters(text: string): number[] {
  const offsets: number[] = [];
  let units = 0;
  for (const character of text) {
    offsets.push(units);
    units += character.length;
  }
  return offsets;
}
