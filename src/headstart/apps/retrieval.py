"""Finds the passages that a question is about, or that there are none.

Whether anything relevant was found is decided by the cosine similarity of question and passage:
fused scores only rank within one search. Thresholds come from `benchmarks/grounding.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from headstart.apps.overlap import terms
from headstart.knowledge.knowledge import Knowledge
from headstart.knowledge.passages import Passage

RELEVANT = 0.3  # cosine of the best passage, below which a question is not about the documents
LEANS_ON = 5  # a question with fewer terms than this may need the one before it

_REFERRING = re.compile(
    r"\b(?:it|its|they|them|their|he|him|his|she|her|this|that|these|those|there|one|ones|same|"
    r"former|latter|above)\b|^(?:and|but|or|so|why|how so|what about|how about)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: relevant passages, best first, and what it was asked."""

    query: str
    passages: list[Passage]  # all found
    similarity: float  # of the nearest passage

    @property
    def relevant(self) -> bool:
        return self.similarity >= RELEVANT


async def retrieve(
    knowledge: Knowledge, stores: list[str], question: str, previous: str, limit: int
) -> Found:
    """Search for a question; one that leans on the question before it is searched with that."""
    alone = await _search(knowledge, stores, question, limit)
    if not previous or not _leans(question):
        return alone
    together = await _search(knowledge, stores, f"{previous}\n{question}", limit)
    return max(alone, together, key=lambda found: found.similarity)


def _leans(question: str) -> bool:
    return len(terms(question)) < LEANS_ON or _REFERRING.search(question) is not None


async def _search(knowledge: Knowledge, stores: list[str], query: str, limit: int) -> Found:
    passages = await knowledge.search(stores, query, limit=limit)
    nearest = max((passage.similarity for passage in passages), default=0.0)
    return Found(query, passages, nearest)
