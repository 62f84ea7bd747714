"""What a call through a worker gives: the contract of `Endpoint`, errors as ours, nothing left."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from headstart.errors import BadRequest, ContextTooLong, HeadstartError, Unavailable
from headstart.hub.cards import Task
from headstart.serving.deployment import echo_model
from headstart.serving.endpoints import Endpoints
from headstart.serving.requests import ChatRequest, CompletionRequest, EmbeddingRequest, Message
from headstart.serving.worker_endpoint import WorkerEndpoint, plain_messages
from tests.serving.fakes import FakeEngine, ask, call, serving, until

ENGINE = FakeEngine(refuses=frozenset({"logit_bias", "n", "presence_penalty", "dimensions"}))


@pytest.fixture
async def endpoints(home: Path) -> AsyncIterator[Endpoints]:
    async with serving(home, {"fake": ENGINE}) as endpoints:
        await endpoints.deploy("echo", name="chat", engine="fake")
        await endpoints.wait_ready("chat", 20)
        yield endpoints


@pytest.fixture
def endpoint(endpoints: Endpoints) -> WorkerEndpoint:
    endpoint = endpoints.resolve("chat")
    assert isinstance(endpoint, WorkerEndpoint)
    return endpoint


async def chunks(endpoint: WorkerEndpoint, request: ChatRequest) -> list[ChatCompletionChunk]:
    return [chunk async for chunk in endpoint.chat(call(), request)]


def message(**fields: Any) -> Message:
    return Message.model_validate(fields)


def embedding(**fields: Any) -> EmbeddingRequest:
    return EmbeddingRequest.model_validate({"model": "m", **fields})


def sent(endpoints: Endpoints) -> str:
    """The last request that the worker got."""
    lines = endpoints.logs("chat").splitlines()
    return [line for line in lines if line.startswith("request")][-1]


async def test_chunks_carry_our_names_and_end_with_usage(endpoint: WorkerEndpoint) -> None:
    answer = call()
    seen = [chunk async for chunk in endpoint.chat(answer, ask("hi"))]
    assert {chunk.id for chunk in seen} == {answer.id}
    assert {chunk.model for chunk in seen} == {"chat"}
    assert {chunk.created for chunk in seen} == {int(answer.created_at)}
    assert [c.choices[0].delta.content for c in seen[:-1]] == ["Hel", "lo", None]
    assert seen[-2].choices[0].finish_reason == "stop"
    assert seen[-1].choices == []
    assert seen[-1].usage is not None
    assert seen[-1].usage.total_tokens == 5
    assert [chunk.usage for chunk in seen[:-1]] == [None] * 3


async def test_usage_moves_to_a_chunk_of_its_own(endpoint: WorkerEndpoint) -> None:
    seen = await chunks(endpoint, ask("usage with the last choice"))
    assert [bool(chunk.choices) for chunk in seen] == [True, True, False]
    assert [chunk.usage is not None for chunk in seen] == [False, False, True]
    assert seen[-2].choices[0].finish_reason == "stop"


async def test_a_worker_that_counts_nothing_is_an_error(endpoint: WorkerEndpoint) -> None:
    with pytest.raises(HeadstartError, match="did not say how many tokens"):
        await chunks(endpoint, ask("no usage"))


async def test_the_trace_says_who_answered_and_to_what(endpoint: WorkerEndpoint) -> None:
    made = call()
    request = ask([{"type": "text", "text": "hi"}])
    request.messages.insert(0, message(role="developer", content="be brief"))
    await endpoint.answer(made, request)
    assert made.trace.prompt == "<system>be brief<user>hi"
    assert made.trace.endpoint == "chat"
    versions = made.trace.versions
    assert (versions["engine"], versions["model"], versions["digest"]) == ("fake", "echo", "echo")
    assert versions["headstart"]


async def test_what_the_worker_gets(endpoints: Endpoints, endpoint: WorkerEndpoint) -> None:
    schema = {"name": "x", "schema": {"type": "object", "default": None}}
    request = ask(
        "hi",
        max_completion_tokens=7,
        temperature=0,
        stop="\n",
        seed=None,
        user="u",
        store=False,
        metadata={"a": "b"},
        conversation="conv_1",
        response_format={"type": "json_schema", "json_schema": schema},
    )
    await endpoint.answer(call(), request)
    body = sent(endpoints)
    for part in ('"max_tokens": 7', '"temperature": 0', '"stop": ["\\n"]', '"default": null'):
        assert part in body
    for part in ("conv_1", "metadata", "store", 'user":', "seed", "max_completion_tokens"):
        assert part not in body.replace('"role": "user"', "")
    assert '"include_usage": true' in body


async def test_errors_of_the_worker_become_ours(endpoint: WorkerEndpoint) -> None:
    with pytest.raises(ContextTooLong) as too_long:
        await endpoint.answer(call(), ask("too long"))
    assert (too_long.value.prompt_tokens, too_long.value.context_length) == (100, 64)
    assert "100" in too_long.value.message
    assert "64" in too_long.value.message
    with pytest.raises(BadRequest, match="top_p is odd") as bad:
        await endpoint.answer(call(), ask("bad value"))
    assert (bad.value.param, bad.value.code) == ("top_p", "odd_value")
    with pytest.raises(HeadstartError, match="segment fault") as failed:
        await endpoint.answer(call(), ask("worker bug"))
    assert failed.value.status == 500
    with pytest.raises(HeadstartError, match="out of blocks"):
        await endpoint.answer(call(), ask("fail late"))
    with pytest.raises(Unavailable, match="broke"):
        await endpoint.answer(call(), ask("no done"))
    assert (await endpoint.answer(call(), ask("hi"))).choices[0].message.content == "Hello"


@pytest.mark.parametrize("how", ["die", "die at once"])
async def test_a_worker_killed_under_a_call(
    endpoints: Endpoints, endpoint: WorkerEndpoint, how: str
) -> None:
    first = endpoints.status("chat").pid
    with pytest.raises(Unavailable, match="ended before the answer was complete"):
        await chunks(endpoint, ask(how))
    assert (await endpoint.answer(call(), ask("hi"))).choices[0].message.content == "Hello"
    status = endpoints.status("chat")
    assert status.pid != first
    assert status.restarts == 1 if how == "die" else status.restarts <= 2


async def test_a_worker_killed_between_calls_is_waited_for(
    endpoints: Endpoints, endpoint: WorkerEndpoint
) -> None:
    await endpoint.answer(call(), ask("hi"))
    pid = endpoints.status("chat").pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)  # its connections still look alive to us
    assert (await endpoint.answer(call(), ask("hi"))).choices[0].message.content == "Hello"
    assert endpoints.status("chat").pid != pid


async def test_leaving_an_answer_aborts_it_in_the_worker(
    endpoints: Endpoints, endpoint: WorkerEndpoint
) -> None:
    async with aclosing(endpoint.chat(call(), ask("endless"))) as stream:
        await anext(stream)
        await anext(stream)
    await until(lambda: "aborted" in endpoints.logs("chat"))


async def test_cancelling_a_call_aborts_it_in_the_worker(
    endpoints: Endpoints, endpoint: WorkerEndpoint
) -> None:
    task = asyncio.create_task(endpoint.answer(call(), ask("endless")))
    await until(lambda: "endless" in endpoints.logs("chat"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: "aborted" in endpoints.logs("chat"))


async def test_a_prompt_that_cannot_be_had_costs_the_record_not_the_answer(
    endpoint: WorkerEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.serving.worker_endpoint._PROMPT_LIMIT", 0.05)
    made = call()
    request = ask("hi")
    request.messages.insert(0, message(role="system", content="slow template"))
    answer = await endpoint.answer(made, request)
    assert answer.choices[0].message.content == "Hello"
    assert made.trace.prompt is None


@pytest.mark.parametrize(
    ("parameter", "value"), [("logit_bias", {"1": 5.0}), ("n", 2), ("presence_penalty", 0.5)]
)
async def test_a_parameter_that_the_engine_has_not_is_refused_by_name(
    endpoints: Endpoints, endpoint: WorkerEndpoint, parameter: str, value: Any
) -> None:
    with pytest.raises(BadRequest, match=f"'{parameter}' is not supported") as refused:
        await endpoint.answer(call(), ask("never sent", **{parameter: value}))
    assert refused.value.param == parameter
    assert "never sent" not in endpoints.logs("chat")


async def test_values_that_ask_for_nothing_pass(endpoint: WorkerEndpoint) -> None:
    request = ask("hi", n=1, logit_bias={}, presence_penalty=0)
    assert (await endpoint.answer(call(), request)).choices[0].finish_reason == "stop"


def test_content_that_is_not_text_is_refused_by_name() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    with pytest.raises(BadRequest, match="image_url") as refused:
        plain_messages([message(role="user", content=[image])])
    assert refused.value.param == "messages[0].content"


def test_messages_keep_what_templates_look_at_and_drop_the_rest() -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    assistant = message(role="assistant", content=None, tool_calls=calls, annotations=[], x=1)
    tool = message(role="tool", content="42", tool_call_id="1")
    assert plain_messages([assistant, tool]) == [
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
    ]


async def test_plain_completions(endpoint: WorkerEndpoint) -> None:
    made = call()
    request = CompletionRequest.model_validate({"model": "m", "prompt": "Once"})
    seen = [chunk async for chunk in endpoint.complete(made, request)]
    assert [chunk.choices[0].text for chunk in seen[:-1]] == ["Once", "!"]
    assert [chunk.choices[0].finish_reason for chunk in seen[:-1]] == [None, "length"]
    assert {chunk.id for chunk in seen} == {made.id}
    assert seen[-1].choices == []
    assert seen[-1].usage is not None
    assert made.trace.prompt == "Once"
    whole = await endpoint.continuation(call(), request)
    assert whole.choices[0].text == "Once!"


async def test_tokens_and_context_length_are_the_workers(endpoint: WorkerEndpoint) -> None:
    messages = [message(role="user", content="hi")]
    assert await endpoint.count_tokens(messages) == len("<user>hi")
    assert endpoint.context_length == 64  # echo's own says 4096


async def test_embeddings(endpoints: Endpoints, endpoint: WorkerEndpoint) -> None:
    request = embedding(input=["a", "b"])
    with pytest.raises(BadRequest, match="is a chat model: it does not serve /v1/embeddings"):
        await endpoint.embed(call(), request)
    endpoint.model = replace(echo_model(), task=Task.EMBEDDING)
    answer = await endpoint.embed(call(), request)
    assert [item.embedding for item in answer.data] == [[1.0, 0.5]] * 2
    assert answer.model == "chat"
    request = embedding(input="a", encoding_format="base64")
    answer = await endpoint.embed(call(), request)
    assert '"embedding":"AACAPw=="' in answer.model_dump_json(warnings=False)
    with pytest.raises(BadRequest, match="'dimensions' is not supported"):
        await endpoint.embed(call(), embedding(input="a", dimensions=3))
    with pytest.raises(BadRequest, match="is an embedding model"):
        await endpoint.answer(call(), ask("hi"))
