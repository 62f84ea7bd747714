"""The MiniLM worker against ONNX Runtime on the same file, one text at a time."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from openai import BadRequestError
from tokenizers import Tokenizer

from headstart.hub.cards import Task
from headstart.serving.engines.openvino_embeddings import OpenVinoEmbeddings
from tests.serving.workers.running import Worker, running, stored

pytestmark = pytest.mark.real

TEXTS = [
    "A cat sat on the mat.",
    "hi",
    "Stock markets fell sharply on Tuesday after the central bank's announcement. " * 6,
    "Grüße aus Köln – 日本語 🙂",
    "def f(x):\n    return x ** 2",
]
LONG = "It was the best of times, it was the worst of times. " * 60

Vector = np.ndarray[Any, np.dtype[np.float32]]


@pytest.fixture(scope="module")
def reference(model_store: Path) -> Callable[[str], Vector]:
    folder = stored(model_store, "all-minilm-l6-v2", Task.EMBEDDING, 256).path
    session: Any = onnxruntime.InferenceSession(  # type: ignore[attr-defined]
        folder / "model.onnx"
    )
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)

    def embed(text: str) -> Vector:
        ids = np.array([tokenizer.encode(text).ids])
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        hidden = session.run(None, {**feed, "token_type_ids": np.zeros_like(ids)})[0]
        mean: Vector = hidden[0].mean(axis=0)
        return mean / np.float32(np.linalg.norm(mean))

    return embed


def embed(worker: Worker, texts: Any) -> Vector:
    made = worker.client.embeddings.create(model="m", input=texts)  # base64 underneath
    return np.array([item.embedding for item in made.data], dtype=np.float32)


def test_vectors_equal_the_reference(
    embeddings: Worker, reference: Callable[[str], Vector]
) -> None:
    ours = embed(embeddings, [*TEXTS, LONG])
    theirs = np.array([reference(text) for text in [*TEXTS, LONG]])
    assert (ours * theirs).sum(axis=1).min() > 0.99
    assert np.linalg.norm(ours, axis=1) == pytest.approx(1, abs=1e-5)


def test_float_and_base64_are_the_same(embeddings: Worker) -> None:
    body = {"model": "m", "input": TEXTS[0]}
    floats = embeddings.post("/v1/embeddings", {**body, "encoding_format": "float"})
    packed = embeddings.post("/v1/embeddings", {**body, "encoding_format": "base64"})
    vector = np.frombuffer(base64.b64decode(packed["data"][0]["embedding"]), dtype="<f4")
    assert vector.tolist() == pytest.approx(floats["data"][0]["embedding"], abs=1e-6)
    assert len(vector) == 384
    assert floats["usage"] == {"prompt_tokens": 9, "total_tokens": 9}


def test_many_at_once_get_their_own(embeddings: Worker) -> None:
    texts = [f"{text} {n}" for n in range(8) for text in TEXTS]
    with ThreadPoolExecutor(8) as pool:
        apart = np.concatenate(list(pool.map(lambda text: embed(embeddings, text), texts)))
    together = embed(embeddings, texts)
    assert (apart * together).sum(axis=1).min() > 0.99


def test_tokens_instead_of_text(embeddings: Worker) -> None:
    body = {"content": TEXTS[0], "add_special": True}
    tokens = embeddings.post("/tokenize", body)["tokens"]
    assert (embed(embeddings, tokens) * embed(embeddings, TEXTS[0])).sum() > 0.999
    assert (embed(embeddings, [tokens]) * embed(embeddings, TEXTS[0])).sum() > 0.999


def test_a_long_text_is_cut_and_counted_as_cut(embeddings: Worker) -> None:
    made = embeddings.client.embeddings.create(model="m", input=LONG)
    assert made.usage.prompt_tokens == 256


def test_a_long_text_is_refused_where_that_was_chosen(model_store: Path, tmp_path: Path) -> None:
    model = stored(model_store, "all-minilm-l6-v2", Task.EMBEDDING, 256)
    with running(OpenVinoEmbeddings(), model, tmp_path, {"too_long": "refuse"}) as worker:
        refused = worker.post("/v1/embeddings", {"model": "m", "input": LONG})
        assert refused["status"] == 400
        assert refused["error"]["param"] == "input"
        assert refused["error"]["n_ctx"] == 256
        assert refused["error"]["n_prompt_tokens"] > 700


@pytest.mark.parametrize(
    "more",
    [
        {"input": ""},
        {"input": []},
        {"input": ["a", ""]},
        {"input": ["a"] * 2049},
        {"input": [10**8]},
        {"input": [-1]},
        {"input": "a", "dimensions": 5},
    ],
    ids=["empty", "none", "one empty", "too many", "unknown", "negative", "dimensions"],
)
def test_bad_inputs_are_refused(embeddings: Worker, more: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError):
        embeddings.client.embeddings.create(model="m", **more)


def test_it_does_not_chat(embeddings: Worker) -> None:
    with pytest.raises(BadRequestError, match="does not chat"):
        embeddings.chat("hello")
    with pytest.raises(BadRequestError, match="does not generate"):
        embeddings.complete("hello")
