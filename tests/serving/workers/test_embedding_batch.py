from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from headstart.serving.workers.embedding_batch import EmbeddingBatch


class Model:
    """Says of every text how long it is; remembers what came together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, texts: list[Sequence[int]]) -> list[bytes]:
        assert self.go.wait(30)
        self.batches.append([len(text) for text in texts])
        if any(len(text) == 13 for text in texts):
            raise RuntimeError("unlucky")
        return [str(len(text)).encode() for text in texts]


@pytest.fixture
def model() -> Model:
    return Model()


async def test_vectors_come_in_the_order_of_the_texts(model: Model) -> None:
    batch = EmbeddingBatch(model)
    assert await batch.embed([[0] * 3, [0], [0] * 2]) == [b"3", b"1", b"2"]
    assert model.batches == [[1, 2, 3]]


async def test_texts_of_several_requests_go_together(model: Model) -> None:
    batch = EmbeddingBatch(model)
    model.go.clear()
    first = asyncio.create_task(batch.embed([[0] * 100]))
    await asyncio.sleep(0)
    others = [asyncio.create_task(batch.embed([[0] * n])) for n in (4, 5, 6)]
    await asyncio.sleep(0)
    model.go.set()
    assert await first == [b"100"]
    assert await asyncio.gather(*others) == [[b"4"], [b"5"], [b"6"]]
    assert sorted(model.batches[-1])[:3] == [4, 5, 6]


async def test_batches_are_bounded_with_their_padding(model: Model) -> None:
    texts: list[Sequence[int]] = [[0] * 256] * 40
    await EmbeddingBatch(model).embed(texts + [[0] * 2] * 200)
    assert all(max(lengths) * len(lengths) <= 4096 for lengths in model.batches)
    assert all(len(lengths) <= 64 for lengths in model.batches)
    assert sum(map(len, model.batches)) == 240


async def test_a_question_does_not_wait_for_a_folder(model: Model) -> None:
    batch = EmbeddingBatch(model)
    model.go.clear()
    folder = asyncio.create_task(batch.embed([[0] * 256] * 200))
    await asyncio.sleep(0)
    question = asyncio.create_task(batch.embed([[0] * 10]))
    await asyncio.sleep(0)
    model.go.set()
    assert await question == [b"10"]
    assert [10] in model.batches[:3]
    await folder


async def test_long_texts_do_not_wait_for_ever(model: Model) -> None:
    batch = EmbeddingBatch(model)
    model.go.clear()
    long = asyncio.create_task(batch.embed([[0] * 4000]))
    short = [asyncio.create_task(batch.embed([[0] * 4] * 64)) for _ in range(20)]
    await asyncio.sleep(0)
    model.go.set()
    await long
    assert len(model.batches) <= 4
    await asyncio.gather(*short)


async def test_a_failing_batch_fails_its_texts_alone(model: Model) -> None:
    batch = EmbeddingBatch(model)
    with pytest.raises(RuntimeError, match="unlucky"):
        await batch.embed([[0] * 13])
    assert await batch.embed([[0]]) == [b"1"]


async def test_a_caller_that_leaves_takes_its_texts_along(model: Model) -> None:
    batch = EmbeddingBatch(model)
    model.go.clear()
    leaving = asyncio.create_task(batch.embed([[0] * 256] * 100))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    model.go.set()
    assert await batch.embed([[0]]) == [b"1"]
    assert sum(map(len, model.batches)) <= 18
