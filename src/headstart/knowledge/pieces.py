"""Blocks parted into pieces that fit: by sentences, lines, runs of words, and at last anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from headstart.knowledge.blocks import Kind
from headstart.knowledge.tokens import TokenCounter

_CHARS_PER_TOKEN = 16  # more is not prose: long runs of spaces, or of what is no word
_RUN = 120  # characters that words are taken together to
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=\S)|(?<=[。！？])")
_LINE = re.compile(r"\n")
_UNCOUNTED = -1
_TOO_LONG = 2**40


class Cut(IntEnum):
    """How well a piece begins a passage."""

    NEVER = 0  # what a heading stands above
    WORD = 1
    SENTENCE = 2
    BLOCK = 3


@dataclass(slots=True)
class Piece:
    """A block or a part of one, which is not parted further once it fits."""

    start: int
    end: int
    kind: Kind
    cut: Cut
    tokens: int = _UNCOUNTED
    limit: int = _TOO_LONG


class Splitter:
    """Parts pieces of one text."""

    def __init__(self, text: str, counter: TokenCounter, max_tokens: int) -> None:
        self._text = text
        self._counter = counter
        self.max_chars = max_tokens * _CHARS_PER_TOKEN

    def measure(self, pieces: Iterable[Piece]) -> None:
        """Trim and count pieces that were not counted yet."""
        fresh = []
        for piece in pieces:
            if piece.tokens == _UNCOUNTED:
                self._trim(piece)
                piece.tokens = _TOO_LONG
                if piece.end - piece.start <= self.max_chars:
                    fresh.append(piece)
        counts = self._counter.own([self._text[p.start : p.end] for p in fresh])
        for piece, tokens in zip(fresh, counts, strict=True):
            piece.tokens = tokens

    def fit(self, rows: list[list[Piece]]) -> None:
        """Part, in place, every piece that has more tokens than its limit."""
        stage = 0
        while rows:
            unfit = []
            for row in rows:
                if any(self._is_unfit(piece) for piece in row):
                    row[:] = [
                        part
                        for piece in row
                        for part in (
                            self._parts(piece, stage) if self._is_unfit(piece) else [piece]
                        )
                    ]
                    unfit.append(row)
            self.measure(piece for row in unfit for piece in row)
            rows = unfit
            stage += 1

    def halves(self, piece: Piece) -> list[Piece]:
        """Two halves, or the piece itself if it is a single character."""
        parts = self._halves(piece)
        self.measure(parts)
        return parts

    def _is_unfit(self, piece: Piece) -> bool:
        return piece.tokens > piece.limit and piece.end - piece.start > 1

    def _parts(self, piece: Piece, stage: int) -> list[Piece]:
        prose = piece.kind in ("text", "heading")
        if prose and stage == 0:
            ends = (found.end() for found in _SENTENCE.finditer(self._text, piece.start, piece.end))
            return self._parted(piece, ends, Cut.SENTENCE)
        if stage == prose:
            ends = (found.end() for found in _LINE.finditer(self._text, piece.start, piece.end))
            return self._parted(piece, ends, Cut.WORD if prose else Cut.SENTENCE)
        if stage == prose + 1:
            return self._parted(piece, self._runs(piece), Cut.WORD)
        return self._halves(piece)

    def _runs(self, piece: Piece) -> Iterator[int]:
        """Ends of runs of words; a word longer than a run is parted."""
        position = piece.start
        while position + _RUN < piece.end:
            spaces = [self._text.rfind(s, position, position + _RUN) for s in " \n\t"]
            position = max(spaces) + 1 or position + _RUN
            yield position

    def _halves(self, piece: Piece) -> list[Piece]:
        return self._parted(piece, [(piece.start + piece.end) // 2], Cut.WORD)

    def _parted(self, piece: Piece, cuts: Iterable[int], cut: Cut) -> list[Piece]:
        parts: list[Piece] = []
        start = piece.start
        for end in [*cuts, piece.end]:
            if self._text[start:end].strip():
                first = piece.cut if not parts else cut
                parts.append(Piece(start, end, piece.kind, first, limit=piece.limit))
            start = end
        return parts

    def _trim(self, piece: Piece) -> None:
        """Leave out blank lines in front and space behind; the first line keeps its indent."""
        text = self._text[piece.start : piece.end]
        blank = len(text) - len(text.lstrip())
        piece.end = piece.start + len(text.rstrip())
        piece.start += text.rfind("\n", 0, blank) + 1
