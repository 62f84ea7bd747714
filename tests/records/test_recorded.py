"""Recorded calls: durable before they end, whatever their end is."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from headstart.errors import BadRequest, ContextTooLong, NotFound, Unavailable
from headstart.records.recorded import Recorded
from headstart.records.records import Record, Records
from headstart.serving.base import Call
from headstart.serving.requests import ChatRequest, CompletionRequest, EmbeddingRequest
from headstart.storage.database import Database
from tests.records.samples import ADMIN, ANNA, BERT, USAGE, FakeTurns, Scripted, columns


def call(id: str = "chatcmpl-1") -> Call:
    return Call(id=id, principal=ANNA)


def chat(text: str = "Count to three", **more: Any) -> ChatRequest:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **more}
    return ChatRequest.model_validate(body)


def wrap(records: Records, inner: Scripted | None = None, **more: Any) -> Recorded:
    return Recorded(inner or Scripted(), records, more.pop("turns", FakeTurns()), **more)


async def read(recorded: Recorded, call: Call, request: ChatRequest) -> None:
    """Take the answer as it streams, to its end."""
    async for _ in recorded.chat(call, request):
        pass


async def only_record(records: Records) -> Record:
    """The record, once what was submitted before is committed too."""
    await records.append(None, lambda session: None)
    found = records.list(ADMIN).data
    assert len(found) == 1
    return found[0]


async def test_a_call_is_kept_whole(records: Records) -> None:
    recorded = wrap(records)
    answer = await recorded.answer(call(), chat(temperature=0.5, user="u"))
    assert answer.choices[0].message.content == "one two three"
    kept = records.get("chatcmpl-1", ANNA).row
    assert kept.kind == "chat"
    assert kept.status == "completed"
    assert kept.request == {
        "model": "m",
        "messages": [{"role": "user", "content": "Count to three"}],
        "temperature": 0.5,
        "user": "u",
    }
    assert kept.prompt == "<user>Count to three"
    assert kept.output["choices"][0]["message"]["content"] == "one two three"
    assert kept.output["choices"][0]["finish_reason"] == "stop"
    assert (kept.prompt_tokens, kept.completion_tokens) == (7, 3)
    assert kept.key_id == ANNA.key_id
    assert kept.endpoint == "scripted"
    assert "headstart" in kept.versions
    assert kept.first_token_ms is None  # it came in one piece
    assert kept.duration_ms > 0


async def test_a_stream_is_kept_as_the_whole_answer_is(records: Records) -> None:
    recorded = wrap(records)
    await recorded.answer(call("whole"), chat())
    await read(recorded, call("stream"), chat())
    whole, stream = (records.get(each, ANNA).row for each in ("whole", "stream"))
    for name in ("request", "prompt", "text", "prompt_tokens", "completion_tokens", "status"):
        assert getattr(stream, name) == getattr(whole, name)
    assert stream.output == whole.output
    assert stream.first_token_ms is not None
    assert 0 <= stream.first_token_ms <= stream.duration_ms


async def test_chunks_pass_unchanged_and_in_order(records: Records) -> None:
    plain = [chunk async for chunk in Scripted(choices=2).chat(call(), chat(n=2))]
    seen = [chunk async for chunk in wrap(records, Scripted(choices=2)).chat(call(), chat(n=2))]
    assert [c.model_dump() for c in seen] == [c.model_dump() for c in plain]
    assert seen[-1].usage is not None
    assert seen[-1].usage.model_dump(exclude_none=True) == USAGE


@pytest.mark.parametrize("choices", [1, 3])
async def test_the_end_is_held_back_until_the_commit(records: Records, choices: int) -> None:
    finished = 0
    async for chunk in wrap(records, Scripted(choices=choices)).chat(call(), chat(n=choices)):
        finished += sum(choice.finish_reason is not None for choice in chunk.choices)
        committed = bool(records.list(ADMIN).data)
        assert committed == (finished >= choices)
    assert finished == choices


async def test_words_are_not_held_back(records: Records) -> None:
    inner = Scripted(hang_after=2)
    async with aclosing(wrap(records, inner).chat(call(), chat())) as chunks:
        assert (await anext(chunks)).choices[0].delta.content == "one "
        assert (await anext(chunks)).choices[0].delta.content == "two "


async def test_a_client_that_leaves_between_chunks(records: Records) -> None:
    inner = Scripted()
    async with aclosing(wrap(records, inner).chat(call(), chat())) as chunks:
        await anext(chunks)
    assert inner.closed
    kept = (await only_record(records)).row
    assert kept.status == "cancelled"
    assert kept.output["choices"][0]["message"]["content"] == "one "
    assert kept.output["choices"][0]["finish_reason"] is None
    assert kept.completion_tokens is None


async def test_a_client_that_leaves_while_the_model_thinks(records: Records) -> None:
    inner = Scripted(hang_after=2)
    task = asyncio.create_task(read(wrap(records, inner), call(), chat()))
    await inner.hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert inner.closed
    kept = (await only_record(records)).row
    assert kept.status == "cancelled"
    assert kept.output["choices"][0]["message"]["content"] == "one two "


async def test_an_answer_in_one_piece_that_was_cancelled_or_failed(records: Records) -> None:
    inner = Scripted(hang_after=2)
    task = asyncio.create_task(wrap(records, inner).answer(call("left"), chat()))
    await inner.hanging.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert inner.closed
    with pytest.raises(RuntimeError):
        await wrap(records, Scripted(fail_after=1)).answer(call("failed"), chat())
    left, failed = (records.get(each, ANNA).row for each in ("left", "failed"))
    assert (left.status, failed.status) == ("cancelled", "failed")
    assert failed.error is not None
    assert left.output == failed.output == {"choices": []}


async def test_a_client_that_leaves_after_the_commit_has_a_complete_record(
    records: Records,
) -> None:
    async with aclosing(wrap(records).chat(call(), chat())) as chunks:
        async for chunk in chunks:
            if chunk.choices[0].finish_reason:
                break
    assert (await only_record(records)).row.status == "completed"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ContextTooLong(9000, 4096), "9000 tokens"),
        (RuntimeError("the worker died"), "the worker died"),
        (RuntimeError("odd \ud800 \x00 bytes"), "odd"),
    ],
)
async def test_a_call_that_fails_is_kept_with_its_error(
    records: Records, error: Exception, message: str
) -> None:
    inner = Scripted(fail_after=1)
    inner.error = error
    with pytest.raises(type(error)):
        await read(wrap(records, inner), call(), chat())
    kept = records.get("chatcmpl-1", ANNA).row
    assert kept.status == "failed"
    assert kept.error is not None
    assert message in kept.error
    assert kept.output["choices"][0]["message"]["content"] == "one "


@pytest.mark.parametrize("who", ["caller", "app", "settings"])
async def test_nothing_is_kept_where_somebody_said_so(records: Records, who: str) -> None:
    one = call()
    one.trace.keep = who != "app"
    recorded = wrap(records, enabled=who != "settings")
    answer = await recorded.answer(one, chat(store=False if who == "caller" else None))
    assert answer.choices[0].message.content == "one two three"
    assert records.list(ADMIN).data == []


async def test_an_unrecorded_failure_or_cancellation_leaves_nothing(records: Records) -> None:
    with pytest.raises(RuntimeError):
        await wrap(records, Scripted(fail_after=1)).answer(call(), chat(store=False))
    async with aclosing(wrap(records).chat(call("c2"), chat(store=False))) as chunks:
        await anext(chunks)
    await records.append(None, lambda session: None)
    assert records.list(ADMIN).data == []


async def test_an_answer_that_cannot_be_recorded_is_not_finished(
    records: Records, database: Database
) -> None:
    def refuse(*args: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    event.listen(database.engine, "before_cursor_execute", refuse)
    seen: list[str | None] = []

    async def read() -> None:
        async for chunk in wrap(records).chat(call(), chat()):
            seen.extend(choice.finish_reason for choice in chunk.choices)

    with pytest.raises(Unavailable, match="disk is full"):
        await read()
    assert seen == [None, None, None]
    with pytest.raises(RuntimeError, match="the worker died"):  # not hidden by the second error
        await wrap(records, Scripted(fail_after=1)).answer(call("c2"), chat())


async def test_plain_completions(records: Records) -> None:
    request = CompletionRequest.model_validate({"model": "m", "prompt": ["Count", "again"]})
    answer = await wrap(records).continuation(call("cmpl-1"), request)
    assert answer.choices[0].text == "one two"
    kept = records.get("cmpl-1", ANNA).row
    assert (kept.kind, kept.status) == ("completion", "completed")
    assert kept.output["choices"][0]["text"] == "one two"
    assert kept.request["prompt"] == ["Count", "again"]
    assert "again" in kept.text


async def test_embeddings_keep_the_input_and_not_the_vectors(records: Records) -> None:
    request = EmbeddingRequest.model_validate({"model": "e", "input": ["hello", "world"]})
    response = await wrap(records).embed(call("embd-1"), request)
    assert len(response.data[0].embedding) == 384
    kept = records.get("embd-1", ANNA).row
    assert (kept.kind, kept.prompt_tokens, kept.completion_tokens) == ("embedding", 5, 0)
    assert kept.request["input"] == ["hello", "world"]
    assert kept.output == {"choices": []}


async def test_embeddings_that_fail_are_left_or_must_not_be_kept(records: Records) -> None:
    request = EmbeddingRequest.model_validate({"model": "e", "input": "hello"})
    with pytest.raises(RuntimeError):
        await wrap(records, Scripted(fail_after=0)).embed(call("failed"), request)
    inner = Scripted(hang_after=0)
    task = asyncio.create_task(wrap(records, inner).embed(call("left"), request))
    await inner.hanging.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    quiet = EmbeddingRequest.model_validate({"model": "e", "input": "hello", "store": False})
    await wrap(records).embed(call("quiet"), quiet)
    await records.append(None, lambda session: None)
    statuses = {record.row.id: record.row.status for record in records.list(ADMIN).data}
    assert statuses == {"failed": "failed", "left": "cancelled"}


async def test_an_answer_joins_its_conversation(records: Records) -> None:
    turns = FakeTurns()
    await wrap(records, turns=turns).answer(call(), chat(conversation="conv_anna"))
    (turn,) = turns.turns
    assert turn.question is not None
    assert turn.question.text == "Count to three"
    assert turn.answer["content"] == "one two three"
    assert (turn.complete, turn.record_id, turn.alternative_to) == (True, "chatcmpl-1", None)
    assert records.get("chatcmpl-1", ANNA).row.conversation_id == "conv_anna"


async def test_a_regenerated_answer_joins_without_the_question(records: Records) -> None:
    turns = FakeTurns()
    await records.append(columns("first"))
    again = chat(conversation="conv_anna", regenerates="first")
    await wrap(records, turns=turns).answer(call(), again)
    (turn,) = turns.turns
    assert turn.question is None
    assert turn.alternative_to == "first"
    assert records.get("chatcmpl-1", ANNA).row.alternative_to == "first"


async def test_a_stopped_answer_joins_its_conversation_as_far_as_it_got(records: Records) -> None:
    turns = FakeTurns()
    recorded = wrap(records, turns=turns)
    async with aclosing(recorded.chat(call(), chat(conversation="conv_anna"))) as chunks:
        await anext(chunks)
    await records.append(None, lambda session: None)
    (turn,) = turns.turns
    assert (turn.complete, turn.answer["content"]) == (False, "one ")


async def test_an_answer_that_failed_or_never_began_does_not_join(records: Records) -> None:
    turns = FakeTurns()
    request = chat(conversation="conv_anna")
    with pytest.raises(RuntimeError):
        await wrap(records, Scripted(fail_after=1), turns=turns).answer(call("a"), request)
    inner = Scripted(hang_after=0)
    task = asyncio.create_task(wrap(records, inner, turns=turns).answer(call("b"), request))
    await inner.hanging.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await records.append(None, lambda session: None)
    assert turns.turns == []


async def test_conversations_go_on_where_recording_is_off(records: Records) -> None:
    turns = FakeTurns()
    recorded = wrap(records, turns=turns, enabled=False)
    await recorded.answer(call(), chat(conversation="conv_anna"))
    assert turns.turns[0].record_id is None
    assert records.list(ADMIN).data == []


@pytest.mark.parametrize(
    ("body", "error", "param"),
    [
        ({"conversation": "conv_none"}, NotFound, "conversation"),
        ({"regenerates": "none"}, NotFound, "regenerates"),
        ({"regenerates": "berts"}, NotFound, "regenerates"),
        ({"conversation": "conv_anna", "store": False}, BadRequest, "store"),
    ],
)
async def test_wrong_references_are_refused_before_any_work(
    records: Records, body: dict[str, Any], error: type[BadRequest], param: str
) -> None:
    await records.append(columns("berts", key_id=BERT.key_id))
    inner = Scripted()
    with pytest.raises(error) as caught:
        await wrap(records, inner).answer(call(), chat(**body))
    assert caught.value.param == param
    assert not inner.closed  # it never started


async def test_what_no_response_can_carry_does_not_poison_the_list(records: Records) -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": "\ud800"}}]
    await wrap(records).answer(call(), chat(tools=tools))
    (record,) = records.list(ADMIN).data
    assert record.row.request["tools"][0]["function"]["description"] == "?"


async def test_the_rest_of_the_interface_is_the_inner_ones(records: Records) -> None:
    recorded = wrap(records)
    assert (recorded.name, recorded.context_length) == ("scripted", 4096)
    with pytest.raises(BadRequest, match="does not count tokens"):
        await recorded.count_tokens([])
