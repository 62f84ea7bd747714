"""What a call through a worker gives: the contract of `Endpoint`, errors as ours, nothing left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from openai.types.chat import ChatCompletionChunk

from headstart.errors import BadRequest, ContextTooLong, HeadstartError, Unavailable
from headstart.hub.cards import Task
from headstart.serving.echo import echo_model
from headstart.serving.endpoints import Endpoints
from headstart.serving.requests import ChatRequest, CompletionRequest, EmbeddingRequest, Message
from headstart.serving.worker_endpoint import WorkerEndpoint
from tests.serving.fakes import QUICK, FakeEngine, ask, call, serving, until

ENGINE = FakeEngine(refuses=frozenset({"n", "dimensions"}))


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def endpoints(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Endpoints]:
    policy = replace(QUICK, crash_limit=100)
    async with serving(tmp_path_factory.mktemp("home"), {"fake": ENGINE}, policy=policy) as made:
        await made.deploy("echo", name="chat", engine="fake")
        await made.wait_ready("chat", 60)
        yield made


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


def sent(endpoints: Endpoints) -> Any:
    """The last request that the worker got."""
    lines = [line for line in endpoints.logs("chat").splitlines() if line.startswith("request ")]
    return json.loads(lines[-1].removeprefix("request "))


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


async def test_a_prompt_on_the_first_chunk_is_taken_off_it(endpoint: WorkerEndpoint) -> None:
    made = call()
    seen = [chunk async for chunk in endpoint.chat(made, ask("prompt in band"))]
    assert made.trace.prompt == "as the model saw it"
    assert "prompt" not in seen[0].model_dump_json(exclude_unset=True)


async def test_the_worker_is_asked_to_stream_and_count(
    endpoints: Endpoints, endpoint: WorkerEndpoint
) -> None:
    await endpoint.answer(call(), ask("hi", temperature=0, store=False))
    assert sent(endpoints) == {
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0,
        "model": "chat",
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the worker be one that answers in one piece."""
    monkeypatch.setattr(FakeEngine, "answers_whole", True)


@pytest.mark.usefixtures("whole")
async def test_an_answer_in_one_piece(endpoints: Endpoints, endpoint: WorkerEndpoint) -> None:
    made = call()
    answer = await endpoint.answer(made, ask("hi", temperature=0, store=False))
    assert sent(endpoints) == {
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0,
        "model": "chat",
    }
    assert (answer.id, answer.model, answer.created) == (made.id, "chat", int(made.created_at))
    assert answer.choices[0].message.content == "Hello"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5
    assert made.trace.prompt == "as the model saw it"
    assert "prompt" not in answer.model_dump(exclude={"usage"})
    assert made.trace.versions["engine"] == "fake"


@pytest.mark.usefixtures("whole")
async def test_an_answer_in_one_piece_that_fails(
    endpoints: Endpoints, endpoint: WorkerEndpoint
) -> None:
    with pytest.raises(ContextTooLong):
        await endpoint.answer(call(), ask("too long"))
    with pytest.raises(Unavailable, match="ended before the answer was complete"):
        await endpoint.answer(call(), ask("die"))
    await endpoints.wait_ready("chat", 60)
    assert (await endpoint.answer(call(), ask("hi"))).choices[0].message.content == "Hello"


@pytest.mark.usefixtures("whole")
async def test_cancelling_an_answer_in_one_piece_aborts_it_in_the_worker(
    endpoints: Endpoints, endpoint: WorkerEndpoint
) -> None:
    before = endpoints.logs("chat").count("aborted")
    task = asyncio.create_task(endpoint.answer(call(), ask("endless", max_tokens=11)))
    await until(lambda: '"max_tokens": 11' in endpoints.logs("chat"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: endpoints.logs("chat").count("aborted") == before + 1)


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
    before = await endpoints.wait_ready("chat", 60)
    with pytest.raises(Unavailable, match="ended before the answer was complete"):
        await chunks(endpoint, ask(how))
    assert (await endpoint.answer(call(), ask("hi"))).choices[0].message.content == "Hello"
    status = endpoints.status("chat")
    assert status.pid != before.pid
    assert status.restarts - before.restarts in ((1,) if how == "die" else (1, 2))


async def test_a_worker_killed_between_calls_is_waited_for(
    endpoints: Endpoints, endpoint: WorkerEndpoint
) -> None:
    await endpoint.answer(call(), ask("hi"))
    pid = (await endpoints.wait_ready("chat", 60)).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)  # its connections still look alive to us
    assert (await endpoint.answer(call(), ask("hi"))).choices[0].message.content == "Hello"
    assert endpoints.status("chat").pid != pid


async def test_leaving_an_answer_aborts_it_in_the_worker(
    endpoints: Endpoints, endpoint: WorkerEndpoint
) -> None:
    aborted = endpoints.logs("chat").count("aborted")
    async with aclosing(endpoint.chat(call(), ask("endless"))) as stream:
        await anext(stream)
        await anext(stream)
    await until(lambda: endpoints.logs("chat").count("aborted") == aborted + 1)


async def test_cancelling_a_call_aborts_it_in_the_worker(
    endpoints: Endpoints, endpoint: WorkerEndpoint
) -> None:
    aborted = endpoints.logs("chat").count("aborted")
    task = asyncio.create_task(endpoint.answer(call(), ask("endless", max_tokens=9)))
    await until(lambda: '"max_tokens": 9' in endpoints.logs("chat"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: endpoints.logs("chat").count("aborted") == aborted + 1)


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


async def test_a_refused_parameter_is_never_sent(
    endpoints: Endpoints, endpoint: WorkerEndpoint
) -> None:
    with pytest.raises(BadRequest, match="'n' is not supported"):
        await endpoint.answer(call(), ask("never sent", n=2))
    assert "never sent" not in endpoints.logs("chat")


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


async def test_embeddings(endpoint: WorkerEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    request = embedding(input=["a", "b"])
    chat_model = replace(echo_model(), digest="of weights")
    monkeypatch.setattr(endpoint, "model", chat_model)
    with pytest.raises(BadRequest, match="is a chat model: it does not serve /v1/embeddings"):
        await endpoint.embed(call(), request)
    monkeypatch.setattr(endpoint, "model", replace(chat_model, task=Task.EMBEDDING))
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
