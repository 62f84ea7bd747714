"""Rows of cells as Markdown tables that stay readable when they are cut into passages.

A long table is written as several short ones, each with the header row and under a heading that
says which rows it has, so that every passage has its column names and can be cited by row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

_BLOCK_CHARS = 400  # of rows under one header: with it, at most one passage
_SPACE = re.compile(r"\s+")


def markdown_table(rows: Iterable[Sequence[str]]) -> str:
    """A table whose first non-empty row is the header. Rows are counted from 1, header included."""
    numbered = ((number, row) for number, row in enumerate(rows, 1) if any(map(str.strip, row)))
    _, names = next(numbered, (0, None))
    if names is None:
        return ""
    head = f"{_line(names)}\n|{' --- |' * len(names)}\n"
    blocks = list(_blocks(numbered, max(_BLOCK_CHARS, len(head))))
    if len(blocks) < 2:
        return head + "".join(body for _, body in blocks)
    return "\n".join(f"### Rows {first}–{last}\n\n{head}{body}" for (first, last), body in blocks)


def _blocks(
    rows: Iterator[tuple[int, Sequence[str]]], size: int
) -> Iterator[tuple[tuple[int, int], str]]:
    lines: list[str] = []
    chars = start = end = 0
    for number, row in rows:
        line = _line(row) + "\n"
        if lines and chars + len(line) > size:
            yield (start, end), "".join(lines)
            lines, chars = [], 0
        start = start if lines else number
        end = number
        lines.append(line)
        chars += len(line)
    if lines:
        yield (start, end), "".join(lines)


def _line(row: Sequence[str]) -> str:
    cells = (_SPACE.sub(" ", cell).strip().replace("|", "\\|") for cell in row)
    return f"| {' | '.join(cells)} |"
