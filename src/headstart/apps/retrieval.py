"""Finds the passages that a question is about, or that there are none.

How relevant a passage is, is its cosine similarity to the question plus a bonus for the share of
the question's terms that it holds: the two err on different questions. The scores of the search
only rank; these compare between questions, so a threshold can say that nothing was found.
`benchmarks/grounding.py` measures how often it is wrong, both ways.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from headstart.apps.overlap import terms
from headstart.knowledge.knowledge import Knowledge
from headstart.knowledge.passages import Passage

RELEVANT = 0.45  # of the best passage; below it a question is not about the documents
KEPT = 0.6  # of the best passage's relevance; what has less only costs time and misleads
TERMS_WEIGHT = 0.3
LEANS_ON = 5  # a question with fewer terms than this may need the one before it

_REFERRING = re.compile(
    r"\b(?:it|its|they|them|their|he|him|his|she|her|this|that|these|those|there|one|ones|same|"
    r"former|latter|above)\b|^(?:and|but|or|so|why|how so|what about|how about)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    query: str
    passages: list[Passage]  # most relevant first; those far behind the best are left out
    relevance: float  # of the best

    @property
    def relevant(self) -> bool:
        return self.relevance >= RELEVANT


async def retrieve(
    knowledge: Knowledge, stores: Sequence[str], question: str, previous: str, limit: int
) -> Found:
    """Search for a question; one that leans on the question before it is searched with that."""
    alone = await _search(knowledge, stores, question, limit)
    if not previous or not _leans(question):
        return alone
    together = await _search(knowledge, stores, f"{previous}\n{question}", limit)
    return max(alone, together, key=lambda found: found.relevance)


def relevance(passage: Passage, asked: frozenset[str]) -> float:
    """How much a passage is about a question with these terms: 0 to 1 + TERMS_WEIGHT."""
    held = terms(" ".join([passage.filename, *passage.headings, passage.text]))
    share = len(asked & held) / len(asked) if asked else 0.0
    return max(passage.similarity, 0.0) + TERMS_WEIGHT * share


def _leans(question: str) -> bool:
    return len(terms(question)) < LEANS_ON or _REFERRING.search(question) is not None


async def _search(knowledge: Knowledge, stores: Sequence[str], query: str, limit: int) -> Found:
    found = await knowledge.search(stores, query, limit=2 * limit)
    asked = terms(query)
    ranked = sorted(((relevance(each, asked), each) for each in found), key=lambda pair: -pair[0])
    best = ranked[0][0] if ranked else 0.0
    kept = [passage for value, passage in ranked[:limit] if value >= KEPT * best]
    return Found(query, kept, best)
