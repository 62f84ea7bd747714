"""How well a passage backs a sentence, judged by the words they share.

A sentence of an answer is backed by a passage when one or two neighbouring sentences of it hold
the sentence's terms. Terms are word stems, so it works for any language written with spaces;
scripts without them are compared by character pairs. What this cannot see: a sentence that uses
the passage's words and turns their meaning round ("is not", swapped names).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

BACKED = 0.7  # share of what the sentence adds to the question, in one place of the passage
BACKED_BESIDE_CODE = 0.5  # the same, when every `name` or `command` in it stands in the passage
REPEATED = 0.3  # share of what it repeats of the question, anywhere in the passage
FEW = 3  # with fewer added terms than this, the question's terms must be near them:
ASKED = 0.3  # this share of them
PLAUSIBLE = 0.25  # share of all its terms, for a citation that the model wrote

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]+")
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?。！？]+[\"'”’)\]]*(?=\s|$)|[。！？]|(?=\n)|$)")
_CODE = re.compile(r"`([^`\n]+)`")
_LEAD_IN = re.compile(
    r"^\s*(?:according to|based on|as (?:stated|mentioned) in) (?:the |this )?"
    r"(?:(?:provided|given) )?(?:information|documents?|text|passages?|context)\b[^,.]{0,40},",
    re.IGNORECASE,
)
_STEM = 6
_COMMON_WORDS = """
about also been both does from have here into itself just like many more most much only other over
same some such than that their them then there these they this those through under very were what
when where which while will with would your
according answer based called command commands document documents example following follows
information mentioned named provided specify used uses using
"""
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Backing:
    """The part of a text that backs a sentence best."""

    share: float  # of the sentence's terms, 0 to 1
    plausible: bool  # enough to believe a citation that someone else made
    strong: bool  # enough to cite it ourselves
    span: Span


@dataclass(frozen=True, slots=True)
class _Window:
    span: Span
    spelled: str
    terms: frozenset[str]


def terms(text: str) -> frozenset[str]:
    """What a text is about: stems of its longer words, and its numbers."""
    found: set[str] = set()
    for word in _WORD.findall(text.lower()):
        if _UNSPACED.search(word):
            found.update(word[i : i + 2] for i in range(max(1, len(word) - 1)))
        elif word[0].isdigit():
            found.add(word)
        elif len(word) > 3 and word not in _COMMON:
            found.add(word[:_STEM].removesuffix("s"))
    return frozenset(found)


class Passages:
    """Texts prepared for many comparisons."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [terms(text) for text in texts]
        self._spelled = [_spelled(text) for text in texts]
        self._windows = [_windows(text) for text in texts]

    def backing(self, index: int, said_text: str, question: str, *, block: bool = False) -> Backing:
        """How well text `index` backs a sentence that answers `question`.

        block: it is code or a table, whose terms may be anywhere in the text.
        """
        asked, said = terms(question), terms(_LEAD_IN.sub("", said_text))
        quoted = [_spelled(code) for code in _CODE.findall(said_text) if terms(code)]
        window = max(
            self._windows[index],
            key=lambda each: (
                all(code in each.spelled for code in quoted),
                _share(said, each.terms),
                _share(asked, each.terms),
                each.span.start - each.span.end,  # the shorter of equals
            ),
            default=_Window(Span(0, 0), "", frozenset()),
        )
        exact = all(code in self._spelled[index] for code in quoted)
        held = self._texts[index] if block or (quoted and exact) else window.terms
        new, repeated = said - asked, said & asked
        share = _share(said, held) if said else 0.0
        # a word or two, such as a name or a number, may stand anywhere: the question must be near
        near = len(new) >= FEW or _share(asked, held) >= ASKED
        return Backing(
            share,
            plausible=near and share >= PLAUSIBLE,
            strong=bool(said)
            and near
            and exact
            and {term for term in new if term[0].isdigit()} <= held
            and _share(new or repeated, held) >= (BACKED_BESIDE_CODE if quoted else BACKED)
            and _share(repeated, self._texts[index]) >= REPEATED,
            span=window.span,
        )

    def best(self, said_text: str, question: str, *, block: bool = False) -> int | None:
        """The text that backs a sentence best, if one does so strongly; the first of equals."""
        strong = [
            (backing.share, -index)
            for index in range(len(self._windows))
            if (backing := self.backing(index, said_text, question, block=block)).strong
        ]
        return -max(strong)[1] if strong else None


def sentences(text: str) -> list[Span]:
    """The sentences and lines of a text, blank ones left out."""
    spans = []
    for match in _SENTENCE.finditer(text):
        stripped = match[0].strip()
        if stripped:
            start = match.start() + match[0].index(stripped)
            spans.append(Span(start, start + len(stripped)))
    return spans


def _windows(text: str) -> list[_Window]:
    """Every sentence but headings, and every two in a row."""
    spans = sentences(text)
    singles = [span for span in spans if text[span.start] != "#"]
    pairs = [Span(first.start, second.end) for first, second in pairwise(spans)]
    pieces = [(span, text[span.start : span.end]) for span in (singles + pairs or spans)]
    return [_Window(span, _spelled(piece), terms(piece)) for span, piece in pieces]


def _spelled(text: str) -> str:
    """A text to look code up in, letter by letter."""
    return " ".join(text.split())


def _share(part: frozenset[str], whole: frozenset[str]) -> float:
    return len(part & whole) / len(part) if part else 1.0
