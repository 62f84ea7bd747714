"""The `openai` package against a real server with real models, on both engines."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from jsonschema import validate
from openai import BadRequestError, NotFoundError, OpenAI

from tests.e2e.conftest import user

ENGINES = ["smol-openvino", "smol-llamacpp"]
QUESTION = user("Name three colours of the rainbow.")
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "mood": {"enum": ["happy", "sad"]},
    },
    "required": ["name", "age", "mood"],
    "additionalProperties": False,
}

pytestmark = pytest.mark.real


@pytest.mark.parametrize("model", ENGINES)
def test_plain_answer_has_usage_and_reason(real_client: OpenAI, model: str) -> None:
    answer = real_client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=24, temperature=0
    )
    assert answer.id.startswith("chatcmpl-")
    assert answer.model == model
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage is not None
    assert 0 < answer.usage.completion_tokens <= 24
    assert answer.usage.prompt_tokens > 5


@pytest.mark.parametrize("model", ENGINES)
def test_stream_spells_the_plain_answer(real_client: OpenAI, model: str) -> None:
    plain = real_client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=24, temperature=0
    )
    chunks = list(
        real_client.chat.completions.create(
            model=model,
            messages=QUESTION,
            max_tokens=24,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == plain.choices[0].message.content
    assert len(chunks) > 5, "the answer came in pieces"
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].choices == []
    assert chunks[-1].usage == plain.usage


@pytest.mark.parametrize("model", ENGINES)
def test_json_schema_is_enforced(real_client: OpenAI, model: str) -> None:
    finished = 0
    for seed in range(4):
        answer = real_client.chat.completions.create(
            model=model,
            messages=user("Describe a person as JSON."),
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "person", "schema": PERSON, "strict": True},
            },
            max_tokens=120,
            temperature=1.0,
            seed=seed,
        )
        if answer.choices[0].finish_reason == "stop":
            validate(json.loads(answer.choices[0].message.content or ""), PERSON)
            finished += 1
    assert finished, "no answer came to its end"


@pytest.mark.parametrize("model", ENGINES)
def test_stop_ends_before_the_sequence(real_client: OpenAI, model: str) -> None:
    counting = user("Count: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10")
    free = real_client.chat.completions.create(
        model=model, messages=counting, max_tokens=40, temperature=0
    )
    text = free.choices[0].message.content or ""
    stop = text[len(text) // 2 : len(text) // 2 + 3]
    stopped = real_client.chat.completions.create(
        model=model, messages=counting, max_tokens=40, temperature=0, stop=[stop]
    )
    assert stopped.choices[0].message.content == text[: text.index(stop)]
    assert stopped.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("model", ENGINES)
def test_a_seed_repeats(real_client: OpenAI, model: str) -> None:
    def answer(seed: int) -> str | None:
        return (
            real_client.chat.completions.create(
                model=model, messages=QUESTION, max_tokens=24, temperature=1.0, seed=seed
            )
            .choices[0]
            .message.content
        )

    assert answer(7) == answer(7)
    assert len({answer(seed) for seed in range(4)}) > 1, "different seeds differ"


@pytest.mark.parametrize("model", ENGINES)
def test_logprobs_of_what_was_said(real_client: OpenAI, model: str) -> None:
    answer = real_client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=12, temperature=0, logprobs=True
    )
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert answer.usage is not None
    assert abs(len(logprobs.content) - answer.usage.completion_tokens) <= 1
    assert all(entry.logprob <= 0 for entry in logprobs.content)
    said = "".join(entry.token for entry in logprobs.content)
    assert (answer.choices[0].message.content or "").strip() in said


@pytest.mark.parametrize("model", ENGINES)
def test_several_choices(real_client: OpenAI, model: str) -> None:
    answer = real_client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=16, temperature=1.0, n=2
    )
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert all(choice.message.content for choice in answer.choices)


@pytest.mark.parametrize("model", ENGINES)
def test_plain_completion(real_client: OpenAI, model: str) -> None:
    answer = real_client.completions.create(
        model=model, prompt="The capital of France is", max_tokens=8, temperature=0
    )
    assert "Paris" in answer.choices[0].text
    streamed = real_client.completions.create(
        model=model, prompt="The capital of France is", max_tokens=8, temperature=0, stream=True
    )
    text = "".join(chunk.choices[0].text for chunk in streamed if chunk.choices)
    assert text == answer.choices[0].text


@pytest.mark.parametrize("model", ENGINES)
def test_a_prompt_that_is_too_long_names_both_numbers(real_client: OpenAI, model: str) -> None:
    long = user("word " * 60_000)
    with pytest.raises(BadRequestError) as caught:
        real_client.chat.completions.create(model=model, messages=long, max_tokens=8)
    assert caught.value.code == "context_length_exceeded"
    numbers = [int(word) for word in str(caught.value.message).split() if word.isdigit()]
    assert max(numbers) > 50_000
    assert min(numbers) < 40_000


def test_what_an_engine_cannot_do_is_refused_by_name(real_client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as caught:
        real_client.chat.completions.create(
            model="smol-openvino", messages=QUESTION, logprobs=True, top_logprobs=5
        )
    assert caught.value.param == "top_logprobs"


def test_embeddings_equal_the_reference(real_client: OpenAI, model_store: Path) -> None:
    """The reference is the same model in ONNX Runtime, pooled as its card says."""
    texts = ["The cat sat on the mat.", "Quarterly revenue rose by four percent.", "¡Hola, señor!"]
    answer = real_client.embeddings.create(model="embeddings", input=texts, encoding_format="float")
    vectors = np.array([item.embedding for item in answer.data])
    reference = _reference_embeddings(model_store, texts)
    assert vectors.shape == reference.shape
    assert np.all(1 - np.sum(vectors * reference, axis=1) < 1e-2)
    packed = real_client.embeddings.with_raw_response.create(
        model="embeddings", input=texts[0], encoding_format="base64"
    )
    encoded = packed.http_response.json()["data"][0]["embedding"]
    assert np.allclose(np.frombuffer(base64.b64decode(encoded), np.float32), vectors[0], atol=1e-6)


def test_files_and_vector_stores(real_client: OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "garden.md"
    path.write_text("# Garden\n\nThe roses are watered at six in the morning by Mr Albright.\n")
    file = real_client.files.create(file=path, purpose="assistants")
    assert real_client.files.content(file.id).read() == path.read_bytes()
    store = real_client.vector_stores.create(name="garden")
    member = real_client.vector_stores.files.create_and_poll(
        file_id=file.id, vector_store_id=store.id
    )
    assert member.status == "completed", member.last_error
    found = real_client.vector_stores.search(store.id, query="Who waters the flowers?").data
    assert found[0].filename == "garden.md"
    assert "Mr Albright" in found[0].content[0].text
    real_client.vector_stores.delete(store.id)
    real_client.files.delete(file.id)
    with pytest.raises(NotFoundError):
        real_client.files.retrieve(file.id)


def test_an_unknown_model_is_named(real_client: OpenAI) -> None:
    with pytest.raises(NotFoundError) as caught:
        real_client.chat.completions.create(model="smol-openvno", messages=QUESTION)
    assert "did you mean 'smol-openvino'" in caught.value.message


def _reference_embeddings(store: Path, texts: list[str]) -> np.ndarray:
    from onnxruntime.capi.onnxruntime_inference_collection import InferenceSession
    from tokenizers import Tokenizer

    folder = next(store.rglob("model.onnx")).parent
    tokenizer = Tokenizer.from_file(str(next(store.rglob("tokenizer.json"))))
    tokenizer.no_padding()
    session = InferenceSession(folder / "model.onnx")
    wanted = {entry.name for entry in session.get_inputs()}
    rows = []
    for text in texts:
        encoding = tokenizer.encode(text)
        feed = {
            "input_ids": np.array([encoding.ids]),
            "attention_mask": np.ones((1, len(encoding.ids)), np.int64),
            "token_type_ids": np.zeros((1, len(encoding.ids)), np.int64),
        }
        outputs = session.run(None, {k: v for k, v in feed.items() if k in wanted})
        pooled = np.asarray(outputs[0])[0].mean(axis=0)
        rows.append(pooled / np.linalg.norm(pooled))
    return np.array(rows)
