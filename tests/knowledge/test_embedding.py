"""Embeddings through an endpoint: batches, waiting, failures."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from headstart.errors import BadRequest, Unavailable
from headstart.knowledge.embedding import _BATCH, Embedder, Embedders
from tests.knowledge.stub import HashEndpoint, vector


async def test_vectors_come_in_order_and_have_length_one() -> None:
    texts = [f"text number {n}" for n in range(3 * _BATCH + 1)]
    vectors = await Embedder(HashEndpoint()).embed(texts)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, np.stack([vector(text) for text in texts]), atol=1e-6)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)


async def test_texts_of_concurrent_calls_share_requests() -> None:
    endpoint = HashEndpoint()
    embedder = Embedder(endpoint)
    await asyncio.gather(*(embedder.embed([f"file {n}"]) for n in range(_BATCH)))
    assert [len(texts) for texts in endpoint.requests] == [_BATCH]


async def test_a_query_does_not_wait_for_passages() -> None:
    release = asyncio.Event()

    def hold_passages(texts: list[str]) -> object:
        return None if texts == ["query"] else release.wait()

    embedder = Embedder(HashEndpoint(before=hold_passages))
    passages = asyncio.create_task(embedder.embed(["passage"] * 100))
    assert (await embedder.embed_query("query")).shape == (64,)
    release.set()
    assert len(await passages) == 100


async def test_a_long_query_is_cut_to_what_the_model_takes_in() -> None:
    endpoint = HashEndpoint()
    await Embedder(endpoint).embed_query("long query " * 10_000)
    [[sent]] = endpoint.requests
    assert 0 < len(sent) < 256 * 4


async def test_one_bad_text_does_not_take_the_others_along() -> None:
    def refuse_poison(texts: list[str]) -> None:
        if "poison" in texts:
            raise BadRequest("poison is not allowed")

    embedder = Embedder(HashEndpoint(before=refuse_poison))
    good, bad, fine = await asyncio.gather(
        embedder.embed(["good"]),
        embedder.embed(["poison"]),
        embedder.embed(["fine"]),
        return_exceptions=True,
    )
    assert isinstance(good, np.ndarray)
    assert isinstance(bad, BadRequest)
    assert isinstance(fine, np.ndarray)


async def test_an_ingestion_waits_for_a_worker_that_starts() -> None:
    tries = 0

    def start_slowly(_texts: list[str]) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Unavailable("still starting")

    vectors = await Embedder(HashEndpoint(before=start_slowly), patience=30).embed(["text"])
    assert len(vectors) == 1


async def test_patience_ends() -> None:
    def never(_texts: list[str]) -> None:
        raise Unavailable("still starting")

    with pytest.raises(Unavailable, match="still starting"):
        await Embedder(HashEndpoint(before=never), patience=0.5).embed(["text"])


async def test_a_cancelled_caller_leaves_the_others_alone() -> None:
    release = asyncio.Event()
    embedder = Embedder(HashEndpoint(before=lambda _texts: release.wait()))
    first = asyncio.create_task(embedder.embed(["first"]))
    second = asyncio.create_task(embedder.embed(["second"]))
    await asyncio.sleep(0)
    first.cancel()
    release.set()
    assert len(await second) == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_missing_endpoint_is_named_with_the_next_step() -> None:
    with pytest.raises(Unavailable, match=r"'embeddings'.*headstart deploy"):
        await Embedders(lambda _name: None).get("embeddings")


async def test_a_redeployed_endpoint_gets_a_new_embedder() -> None:
    deployed = {"embeddings": HashEndpoint()}
    embedders = Embedders(deployed.get)
    first = await embedders.get("embeddings")
    assert await embedders.get("embeddings") is first
    deployed["embeddings"] = HashEndpoint()
    assert await embedders.get("embeddings") is not first


async def test_an_ingestion_waits_for_an_endpoint_that_is_being_deployed() -> None:
    deployed: dict[str, HashEndpoint] = {}
    waiting = asyncio.create_task(Embedders(deployed.get, patience=30).wait_for("embeddings"))
    await asyncio.sleep(0)
    deployed["embeddings"] = HashEndpoint()
    assert (await waiting).name == "embeddings"
