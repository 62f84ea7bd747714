"""The chat, completion and embedding routes over an endpoint that does what the test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from openai.types import Completion, CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from headstart.api import chat, completions, embeddings, errors
from headstart.errors import BadRequest, NotFound, Unavailable
from headstart.security.principal import Principal, Role
from headstart.serving.base import Call, Endpoint
from headstart.serving.requests import ChatRequest, CompletionRequest, EmbeddingRequest
from tests.api.asgi import Exchange

HELLO = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


class Scripted(Endpoint):
    """Says `words`, then fails with `error` or ends; knows whether it was closed."""

    name = "m"
    context_length = 100

    def __init__(self, words: list[str], error: Exception | None = None) -> None:
        self.words = words
        self.error = error
        self.gate: asyncio.Event | None = None  # waits here after the first word
        self.closed = asyncio.Event()
        self.requests: list[Any] = []

    async def chat(
        self, call: Call, request: ChatRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        self.requests.append(request)
        try:
            for word in self.words:
                yield _chunk(call, [{"index": 0, "delta": {"content": word}}])
                if self.gate is not None:
                    await self.gate.wait()
            if self.error is not None:
                raise self.error
            yield _chunk(call, [{"index": 0, "delta": {}, "finish_reason": "stop"}])
            yield _chunk(call, [], usage=USAGE)
        finally:
            self.closed.set()

    async def complete(
        self, call: Call, request: CompletionRequest
    ) -> AsyncGenerator[Completion, None]:
        for number, word in enumerate(self.words):
            reason = "stop" if number == len(self.words) - 1 else None
            choice = {"index": 0, "text": word, "finish_reason": reason, "logprobs": None}
            yield Completion.construct(**_head(call, "text_completion"), choices=[choice])
        yield Completion.construct(**_head(call, "text_completion"), choices=[], usage=USAGE)

    async def embed(self, call: Call, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        vector: Any = [0.5, 1.0] if request.encoding_format == "float" else "AAAAPwAAgD8="
        return CreateEmbeddingResponse.construct(
            object="list",
            model="m",
            data=[{"object": "embedding", "index": 0, "embedding": vector}],
            usage={"prompt_tokens": 2, "total_tokens": 2},
        )


def _head(call: Call, kind: str) -> dict[str, Any]:
    return {"id": call.id, "object": kind, "created": int(call.created_at), "model": "m"}


def _chunk(call: Call, choices: list[dict[str, Any]], **more: Any) -> ChatCompletionChunk:
    head = _head(call, "chat.completion.chunk")
    filled = [{"finish_reason": None, **choice} for choice in choices]
    return ChatCompletionChunk.model_validate({**head, "choices": filled, **more})


def application(endpoint: Endpoint) -> FastAPI:
    class Models:
        def resolve(self, name: str) -> Endpoint:
            if name != "m":
                raise NotFound(f"No model '{name}'", param="model", code="model_not_found")
            return endpoint

    class Keys:
        def authenticate(self, secret: str) -> Principal:
            return Principal("key_1", "tester", Role.MEMBER)

    app = FastAPI()
    errors.install(app)
    for module in (chat, completions, embeddings):
        app.include_router(module.router)
    app.state.services = SimpleNamespace(models=Models(), keys=Keys())
    return app


async def test_a_plain_answer_is_openais() -> None:
    exchange = Exchange("POST", "/v1/chat/completions", HELLO)
    await exchange.run(application(Scripted(["Hi", " there"])))
    answer = ChatCompletion.model_validate(exchange.json())
    assert exchange.status == 200
    assert answer.id.startswith("chatcmpl-")
    assert answer.choices[0].message.content == "Hi there"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5


@pytest.mark.parametrize("include_usage", [False, True])
async def test_a_stream_ends_with_done_and_usage_if_asked(include_usage: bool) -> None:
    body = {**HELLO, "stream": True, "stream_options": {"include_usage": include_usage}}
    exchange = Exchange("POST", "/v1/chat/completions", body)
    await exchange.run(application(Scripted(["Hi", " there"])))
    *payloads, done = exchange.events()
    chunks = [ChatCompletionChunk.model_validate_json(payload) for payload in payloads]
    assert done == "[DONE]"
    assert exchange.headers["content-type"].startswith("text/event-stream")
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Hi there"
    assert [c.usage is not None for c in chunks if not c.choices] == [True] * include_usage


async def test_an_error_before_the_first_word_is_an_ordinary_answer() -> None:
    endpoint = Scripted([], BadRequest("top_k is not supported", param="top_k"))
    exchange = Exchange("POST", "/v1/chat/completions", {**HELLO, "stream": True})
    await exchange.run(application(endpoint))
    assert exchange.status == 400
    assert exchange.json()["error"] == {
        "message": "top_k is not supported",
        "type": "invalid_request_error",
        "param": "top_k",
        "code": None,
    }


async def test_an_error_in_mid_stream_is_an_event() -> None:
    endpoint = Scripted(["Hi"], Unavailable("The worker ended."))
    exchange = Exchange("POST", "/v1/chat/completions", {**HELLO, "stream": True})
    await exchange.run(application(endpoint))
    *_, last = exchange.events()
    assert json.loads(last)["error"]["message"] == "The worker ended."
    assert "[DONE]" not in exchange.events()


async def test_an_unexpected_error_shows_no_internals() -> None:
    endpoint = Scripted(["Hi"], RuntimeError("password=hunter2"))
    exchange = Exchange("POST", "/v1/chat/completions", {**HELLO, "stream": True})
    await exchange.run(application(endpoint))
    assert b"hunter2" not in exchange.body
    assert json.loads(exchange.events()[-1])["error"]["type"] == "server_error"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_stops_the_answer(stream: bool) -> None:
    endpoint = Scripted(["word"] * 1000)
    endpoint.gate = asyncio.Event()
    exchange = Exchange("POST", "/v1/chat/completions", {**HELLO, "stream": stream})
    running = asyncio.create_task(exchange.run(application(endpoint)))
    async with asyncio.timeout(10):
        while not endpoint.requests:
            await asyncio.sleep(0)
        if stream:
            await exchange.first_body.wait()
        exchange.leave()
        await endpoint.closed.wait()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"top_k": 5}, "top_k"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"n": 10**9}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"seed": 2**80}, "seed"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
    ],
)
async def test_what_is_wrong_is_named(change: dict[str, Any], param: str) -> None:
    exchange = Exchange("POST", "/v1/chat/completions", {**HELLO, **change})
    await exchange.run(application(Scripted([])))
    assert exchange.status == 400
    assert exchange.json()["error"]["param"] == param
    assert param in exchange.json()["error"]["message"]


async def test_a_body_that_is_no_json() -> None:
    exchange = Exchange("POST", "/v1/chat/completions", b'{"model": "m",')
    await exchange.run(application(Scripted([])))
    assert exchange.status == 400
    assert "JSON" in exchange.json()["error"]["message"]


async def test_one_stop_string_is_a_list_of_one() -> None:
    endpoint = Scripted(["Hi"])
    await Exchange("POST", "/v1/chat/completions", {**HELLO, "stop": "END"}).run(
        application(endpoint)
    )
    assert endpoint.requests[0].stop == ["END"]


async def test_a_plain_completion() -> None:
    body = {"model": "m", "prompt": "Once"}
    exchange = Exchange("POST", "/v1/completions", body)
    await exchange.run(application(Scripted([" upon", " a time"])))
    answer = Completion.model_validate(exchange.json())
    assert answer.choices[0].text == " upon a time"
    streamed = Exchange("POST", "/v1/completions", {**body, "stream": True})
    await streamed.run(application(Scripted([" upon", " a time"])))
    *payloads, done = streamed.events()
    assert done == "[DONE]"
    assert "".join(json.loads(p)["choices"][0]["text"] for p in payloads) == " upon a time"


@pytest.mark.parametrize(("form", "vector"), [("float", [0.5, 1.0]), ("base64", "AAAAPwAAgD8=")])
async def test_embeddings_in_both_forms(form: str, vector: object) -> None:
    body = {"model": "m", "input": "hello", "encoding_format": form}
    exchange = Exchange("POST", "/v1/embeddings", body)
    await exchange.run(application(Scripted([])))
    assert exchange.json()["data"][0]["embedding"] == vector


async def test_an_unknown_model() -> None:
    exchange = Exchange("POST", "/v1/chat/completions", {**HELLO, "model": "other"})
    await exchange.run(application(Scripted([])))
    assert exchange.status == 404
    assert exchange.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"])
async def test_the_key_is_asked_for_before_the_body_is_read(path: str) -> None:
    exchange = Exchange("POST", path, b"no JSON", key=None)
    await exchange.run(application(Scripted([])))
    assert exchange.status == 401


async def test_half_a_character_is_refused() -> None:
    body = b'{"model": "m", "messages": [{"role": "user", "content": "\\ud83d"}]}'
    exchange = Exchange("POST", "/v1/chat/completions", body)
    await exchange.run(application(Scripted([])))
    assert exchange.status == 400
    assert "hex escape" in exchange.json()["error"]["message"]
