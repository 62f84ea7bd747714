"""Citations in an answer that is being written: `[1]` where the text says so, and is right.

`CitedText` takes an answer piece by piece and hands it on with every citation checked: a number
that no passage has, or whose passage shares nothing with the sentence, is taken out; a sentence
without a citation that a passage clearly backs gets one at its end, a block of code or a table
below it. An answer that ends up with none says so. No more is held back than a few characters: a
possible citation, or the full stop of a sentence. What "backs" means is `overlap.py`'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from headstart.apps.overlap import Backing, Passages, Span, terms
from headstart.knowledge.passages import Passage

NOT_FOUND = "I don't find that in the documents."
UNMATCHED = "*I could not match this answer to a passage of the documents; please check it.*"

_NUMBERS = r"\d{1,3}(?:\s*[,;]\s*\d{1,3})*"
_MARKER = re.compile(rf"( {{0,4}})\[(?:(?:Passage|Source|passage|source) )?({_NUMBERS})\]")
_OPEN_MARKER = re.compile(r" {0,4}(?:\[(?:[PSps][a-z]{0,6}(?: [\d,; ]*)?|[\d,; ]{0,12})?)?\Z")
_EVENT = re.compile(r" {0,4}\[| {1,4}\Z|`+|~~~|\n|[.!?…]+[\"'”’)*_]*|[。！？]+")
_OPENING = re.compile(r"^\s*(?:```|~~~)[^\n]*\n")
_NO_STOP = re.compile(
    r"(?:^|[\s(])(?:[A-Z]|(?:[A-Za-z]\.)+[A-Za-z]|dr|mr|mrs|ms|prof|st|no|vs|etc|fig|approx|ca|nr|bzw)\Z",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\s*\d+")  # "1." at the start of a line
_UNCITED_LINE = re.compile(r"#|>?\s*-{3}|.*:[*_]*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Citation:
    """One `[n]` in the finished text; `text[start:end]` is the marker."""

    number: int
    start: int
    end: int
    quote: Span  # in the passage's text


class CitedText:
    """One answer, from its pieces to its text and citations."""

    def __init__(self, passages: Sequence[Passage], question: str) -> None:
        self.citations: list[Citation] = []
        self._count = len(passages)
        self._passages = Passages([passage.text for passage in passages])
        self._question = question
        self._buffer = ""
        self._written = 0  # characters handed on so far
        self._sentence = ""  # of the sentence being written, without its citations
        self._cited: set[int] = set()  # by that sentence
        self._fence: str | None = None  # what closes the code that we are in
        self._claims = False  # whether anything was said that a passage could back

    def feed(self, piece: str) -> str:
        """The next piece of the model's text; returns what may be shown now."""
        self._buffer += piece
        return "".join(self._advance(final=False))

    def finish(self) -> str:
        """What was held back, and a warning if no citation was found. Nothing may be fed after."""
        shown = [*self._advance(final=True), self._close()]
        if self._count and self._claims and not self.citations:
            shown.append(self._write(f"\n\n{UNMATCHED}"))
        return "".join(shown)

    def _advance(self, *, final: bool) -> list[str]:
        shown: list[str] = []
        while self._buffer:
            taken = self._in_code(final) if self._fence else self._in_prose(final)
            if taken is None:
                break
            shown.append(taken)
        return shown

    def _in_code(self, final: bool) -> str | None:
        fence = self._fence or ""
        inline = len(fence) < 3
        end = self._buffer.find(fence)
        if inline and (line := self._buffer.find("\n")) >= 0 and (end < 0 or line < end):
            self._fence = None  # inline code does not cross lines
            return self._plain(line)
        if end >= 0:
            self._fence = None
            shown = self._plain(end + len(fence))
            return shown if inline else shown + self._close_block("\n")
        safe = len(self._buffer) if final or inline else len(self._buffer) - len(fence) + 1
        return self._plain(safe) if safe > 0 else None

    def _in_prose(self, final: bool) -> str | None:
        """Hand on up to the next thing that may matter, or deal with it if it comes first."""
        event = _EVENT.search(self._buffer)
        if event is None:
            return self._plain(len(self._buffer))
        if event.start() > 0:
            return self._plain(event.start())
        found = event[0]
        if found[0] in "`~":
            return self._open_code(found, final)
        if found == "\n":
            return self._end_line(final)
        if found[0] in " [":
            return self._maybe_marker(found, final)
        return self._maybe_stop(found, final)

    def _end_line(self, final: bool) -> str | None:
        if self._in_table():
            if len(self._buffer) == 1 and not final:
                return None
            if self._buffer[1:2] == "|":
                return self._plain(1)
        return self._close() + self._plain(1)

    def _open_code(self, ticks: str, final: bool) -> str | None:
        if len(ticks) == len(self._buffer) and not final:
            return None  # more of them may follow
        self._fence = ticks
        return self._plain(len(ticks))

    def _maybe_marker(self, found: str, final: bool) -> str | None:
        marker = _MARKER.match(self._buffer)
        if marker:
            return self._cite(marker)
        if not final and _OPEN_MARKER.match(self._buffer):
            return None
        return self._plain(len(found))

    def _maybe_stop(self, stop: str, final: bool) -> str | None:
        """A full stop: does it end the sentence, and does a citation still follow it?"""
        rest = self._buffer[len(stop) :]
        following = rest.lstrip(" ")
        if not following and not final:
            return None
        marker = _MARKER.match(rest)
        if marker is None and not final and _OPEN_MARKER.match(rest):
            return None
        if marker is None and not self._ends_sentence(stop, rest):
            return self._plain(len(stop))
        if marker is None:
            if "?" in stop:
                self._begin_sentence()  # a question claims nothing
            citation = self._close()
            self._buffer = rest
            return citation + self._write(stop)
        shown = self._plain(len(stop))
        while (marker := _MARKER.match(self._buffer)) is not None:
            shown += self._cite(marker)
        return shown + self._close()

    def _ends_sentence(self, stop: str, rest: str) -> bool:
        if self._in_table():
            return False
        if stop[0] in "。！？":
            return True
        following = rest.lstrip(" ")
        if following and (rest == following or following[0].islower()) and following[0] != "\n":
            return False
        return not (
            stop[0] == "."
            and (_NO_STOP.search(self._sentence[-20:]) or _NUMBERED.fullmatch(self._sentence[-20:]))
        )

    def _plain(self, length: int) -> str:
        text, self._buffer = self._buffer[:length], self._buffer[length:]
        self._sentence += text
        return self._write(text)

    def _write(self, text: str) -> str:
        self._written += len(text)
        return text

    def _cite(self, marker: re.Match[str]) -> str:
        """The citations of a marker that the model wrote, those that hold."""
        self._buffer = self._buffer[marker.end() :]
        numbers = dict.fromkeys(int(number) for number in re.findall(r"\d+", marker[2]))
        shown = ""
        for number in numbers:
            if number in self._cited or not self._holds(number):
                continue
            shown += self._mark(number, before=marker[1] if not shown else "")
        return shown

    def _holds(self, number: int) -> bool:
        """Whether a citation that the model wrote may stay."""
        return 1 <= number <= self._count and self._backing(number).plausible

    def _backing(self, number: int) -> Backing:
        return self._passages.backing(number - 1, self._sentence, self._question)

    def _mark(self, number: int, before: str) -> str:
        space = self._write(before)
        start = self._written
        text = self._write(f"[{number}]")
        span = self._backing(number).span
        self.citations.append(Citation(number, start, self._written, span))
        self._cited.add(number)
        return space + text

    def _close(self) -> str:
        """End the sentence; cite what backs it when nothing was cited."""
        if self._in_table():
            return self._close_block("\n\n")
        shown = ""
        if not self._cited and self._may_cite():
            self._claims = True
            best = self._passages.best(self._sentence, self._question)
            if best is not None:
                shown = self._mark(best + 1, before="" if self._sentence[-1:].isspace() else " ")
        self._begin_sentence()
        return shown

    def _close_block(self, before: str) -> str:
        """End a block of code or a table; cite what backs it below it, where it cannot break it."""
        shown = ""
        block = _OPENING.sub("", self._sentence)
        if terms(block):
            self._claims = True
            best = self._passages.best(block, self._question, block=True)
            if best is not None:
                indent = re.findall(r"(?:^|\n)([ \t]*)[^\n]*\Z", self._sentence)[-1]
                shown = self._mark(best + 1, before=before + indent)
        self._begin_sentence()
        return shown

    def _begin_sentence(self) -> None:
        self._sentence = ""
        self._cited = set()

    def _in_table(self) -> bool:
        return self._sentence.lstrip().startswith("|")

    def _may_cite(self) -> bool:
        said = self._sentence.strip()
        return (
            bool(terms(said))
            and not _UNCITED_LINE.match(said)
            and not said.startswith(NOT_FOUND.rstrip("."))
        )
