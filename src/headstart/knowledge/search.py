"""Hybrid search: cosine similarity and BM25 over the same chunks, fused by score.

The fused score is a convex combination, which ranks better than fusing by rank and hardly depends
on its weight (Bruch, Gai, Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval"):

    score = w · max(cos, 0) + (1 - w) · coverage · bm25 / max(bm25)

BM25 has no upper bound, so it is scaled by the best of the query, and then by `coverage`: the share
of the query's words that the best match has. So a score says something by itself, in [0, 1]: a
question about something else scores low, however its results compare among themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.knowledge.embedding import Embedder, Vectors
from headstart.knowledge.index import Index
from headstart.knowledge.passages import Passage
from headstart.knowledge.rows import Hit, passage

VECTOR_WEIGHT = 0.65  # in the flat middle of the optimum on XQuAD and HotpotQA (0.6 to 0.7)
_DEPTH = 100  # candidates of each kind
_SCORED = 1_000  # chunks whose BM25 is looked at, so that a candidate of one kind has both scores
_MATCHED_CHARS = 4_000  # of a query; more words cost time and match everything


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for, made once for any number of stores."""

    text: str
    vector: Vectors

    @classmethod
    async def of(cls, text: str, embedder: Embedder) -> Query:
        return cls(text[:_MATCHED_CHARS], await embedder.embed_query(text))


async def search(
    index: Index,
    store_id: str,
    query: Query,
    *,
    limit: int,
    where: str | None = None,
    threshold: float = 0.0,
) -> list[Passage]:
    """The best passages of one store, best first; equal passages of equal files only once."""
    depth = max(_DEPTH, 2 * limit)
    near, matches, scores = await asyncio.gather(
        index.nearest(query.vector, depth, where),
        index.matching(query.text, depth, where),
        index.word_scores(query.text, max(_SCORED, depth), where),
    )
    coverage = await _coverage(index, query.text, matches)
    fused = fuse(query.vector, [*near, *matches], scores, coverage)
    passages = [
        passage(row, store_id, score, similarity)
        for row, score, similarity in fused
        if score >= threshold
    ]
    return passages[:limit]


def fuse(
    query: Vectors,
    candidates: Iterable[Hit],
    bm25: dict[str, float],
    coverage: float,
    weight: float = VECTOR_WEIGHT,
) -> list[tuple[dict[str, Any], float, float]]:
    """(row, score, cosine similarity) of every candidate, best first. `bm25` is by chunk id."""
    best = max(bm25.values(), default=0.0)
    scale = coverage / best if best > 0 else 0.0
    fused = []
    for key, hit in {hit.key: hit for hit in candidates}.items():
        cosine = float(np.clip(query @ hit.vector, -1.0, 1.0))
        score = weight * max(cosine, 0.0) + (1 - weight) * scale * bm25.get(key, 0.0)
        fused.append((hit.row, score, cosine))
    return sorted(fused, key=lambda each: each[1], reverse=True)


async def _coverage(index: Index, text: str, matches: list[Hit]) -> float:
    """The share of the query's words that the best match has."""
    if not matches:
        return 0.0
    words = await index.words(text)
    best = matches[0].row
    found = await index.words(" ".join([*best["headings"], best["text"]]))
    return len(words & found) / len(words) if words else 0.0
