"""Finds the passages that a question is about, or that there are none.

How relevant a passage is, is its cosine similarity to the question plus a bonus for the share of
the question's terms that it holds: the two err on different questions. The scores of the search
only rank; these compare between questions, so a threshold can say that nothing was found.
`benchmarks/grounding.py` measures how often it is wrong, both ways.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from headstart.apps.overlap import terms
from headstart.knowledge.knowledge import Knowledge
from headstart.knowledge.passages import Passage

RELEVANT = 0.45  # of the best passage; below it a question is not about the documents
KEPT = 0.6  # of the best passage's relevance; what has less only costs time and misleads
TERMS_WEIGHT = 0.3
CLEAR = 0.6  # relevance from which a question needs no help from the one before it
EARLIER_WEIGHT = 0.6  # of the search with the question before, when it does
_SHORT = 2  # terms; a question with no more may be the rest of another
_DEPTH = 4  # times the passages wanted: what either search may rank

_CONTINUING = re.compile(
    r"(?:and|but|or|so|then|why|what about|how about|und|aber|oder|et|mais|ou|y|pero|o)\b",
    re.IGNORECASE,
)
_REFERRING = re.compile(
    r"\b(?:it|its|they|them|their|he|him|his|she|her|this|that|these|those|one|ones|former|latter|"
    r"previous|above|again|else|instead|more)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    query: str
    passages: list[Passage]  # most relevant first; those far behind the best are left out
    relevance: float  # of the best
    follows_up: bool = False  # the question was searched with the one before it

    @property
    def relevant(self) -> bool:
        return self.relevance >= RELEVANT


async def retrieve(
    knowledge: Knowledge, stores: Sequence[str], question: str, previous: str, limit: int
) -> Found:
    """Search for a question.

    One that leans on the question before it ("And on Windows?") is searched with that, too, and a
    passage has to suit both searches: the earlier question alone would find its own passages again.
    """
    alone = await _search(knowledge, stores, question, limit)
    if not previous or not _leans(question, alone):
        return _best(question, alone, limit)
    query = f"{previous}\n{question}"
    together = await _search(knowledge, stores, query, limit)
    return replace(_best(query, _mixed(alone, together), limit), follows_up=True)


def relevance(passage: Passage, asked: frozenset[str]) -> float:
    """How much a passage is about a question with these terms: 0 to 1 + TERMS_WEIGHT."""
    held = terms(" ".join([passage.filename, *passage.headings, passage.text]))
    share = len(asked & held) / len(asked) if asked else 0.0
    return max(passage.similarity, 0.0) + TERMS_WEIGHT * share


@dataclass(frozen=True, slots=True)
class _Ranked:
    passage: Passage
    relevance: float


_Results = dict[str, _Ranked]  # by the passage's id


def _leans(question: str, alone: _Results) -> bool:
    """Whether a question needs the one before it, given what was found without that."""
    if _CONTINUING.match(question.strip()):
        return True
    short = len(terms(question)) <= _SHORT
    refers = _REFERRING.search(question) is not None
    clear = any(each.relevance >= CLEAR for each in alone.values())
    return (short and refers) or ((short or refers) and not clear)


async def _search(knowledge: Knowledge, stores: Sequence[str], query: str, limit: int) -> _Results:
    asked = terms(query)
    found = await knowledge.search(stores, query, limit=_DEPTH * limit)
    return {each.id: _Ranked(each, relevance(each, asked)) for each in found}


def _mixed(alone: _Results, together: _Results) -> _Results:
    """Every passage by both relevances; where a search did not rank it, by the least it ranked."""
    least_alone = min((each.relevance for each in alone.values()), default=0.0)
    least_together = min((each.relevance for each in together.values()), default=0.0)
    mixed = {}
    for key, ranked in {**alone, **together}.items():
        by_itself = alone[key].relevance if key in alone else least_alone
        with_earlier = together[key].relevance if key in together else least_together
        value = (1 - EARLIER_WEIGHT) * by_itself + EARLIER_WEIGHT * with_earlier
        mixed[key] = _Ranked(ranked.passage, value)
    return mixed


def _best(query: str, results: _Results, limit: int) -> Found:
    ranked = sorted(results.values(), key=lambda each: each.relevance, reverse=True)[:limit]
    best = ranked[0].relevance if ranked else 0.0
    return Found(query, [r.passage for r in ranked if r.relevance >= KEPT * best], best)
