"""Micro-batching for embedders: texts of all requests meet here and go through the model together.

A batch has texts of similar length, so that little is spent on padding. Every other batch takes
the shortest texts, so that a question is not kept waiting by a folder being ingested; the ones in
between start with the text that waits longest, so that none waits for ever.
"""

from __future__ import annotations

import asyncio
import itertools
from bisect import insort
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

_BATCH_TOKENS = 4096  # padding included
_BATCH_TEXTS = 64
_ALIKE = 16  # tokens; lengths this close are always alike


@dataclass(order=True, slots=True)
class _Text:
    length: int
    arrival: int
    tokens: Sequence[int] = field(compare=False)
    vector: asyncio.Future[bytes] = field(compare=False)


class EmbeddingBatch:
    """Runs `embed` (tokens of several texts → vectors, blocking) in a thread, batch by batch."""

    def __init__(self, embed: Callable[[list[Sequence[int]]], list[bytes]]) -> None:
        self._embed = embed
        self._waiting: list[_Text] = []  # by length
        self._arrivals = itertools.count()
        self._oldest_next = False
        self._thread = ThreadPoolExecutor(1, "embed")
        self._worker: asyncio.Task[None] | None = None

    async def embed(self, texts: list[Sequence[int]]) -> list[bytes]:
        """Vectors in the order of the texts. When cancelled, those not begun are dropped."""
        loop = asyncio.get_running_loop()
        mine = [_Text(len(t), next(self._arrivals), t, loop.create_future()) for t in texts]
        for text in mine:
            insort(self._waiting, text)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        try:
            return await asyncio.gather(*(text.vector for text in mine))
        finally:
            if any(text.vector.cancelled() for text in mine):
                self._waiting = [text for text in self._waiting if not text.vector.done()]

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = self._next_batch()
            tokens = [text.tokens for text in batch]
            try:
                vectors = await loop.run_in_executor(self._thread, self._embed, tokens)
            except Exception as error:
                for text in batch:
                    if not text.vector.done():
                        text.vector.set_exception(error)
                continue
            for text, vector in zip(batch, vectors, strict=True):
                if not text.vector.done():
                    text.vector.set_result(vector)

    def _next_batch(self) -> list[_Text]:
        """Neighbours in length, around the shortest text or the one that waits longest."""
        waiting = self._waiting
        start = 0
        if self._oldest_next:
            start = min(range(len(waiting)), key=lambda index: waiting[index].arrival)
        self._oldest_next = not self._oldest_next
        low, high = start, start + 1
        longest = waiting[start].length
        while low > 0 and _fits(longest, high - low + 1, waiting[low - 1].length):
            low -= 1
        shortest = waiting[low].length
        while high < len(waiting) and _fits(waiting[high].length, high - low + 1, shortest):
            high += 1
        batch = waiting[low:high]
        del waiting[low:high]
        return batch


def _fits(longest: int, count: int, shortest: int) -> bool:
    similar = longest <= 2 * shortest + _ALIKE
    return similar and count <= _BATCH_TEXTS and longest * count <= _BATCH_TOKENS
