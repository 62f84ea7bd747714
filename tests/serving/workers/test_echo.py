"""The echo worker as a process: everything of the worker protocol that needs no real model."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from openai import BadRequestError, NotFoundError
from openai.types.chat import ChatCompletionChunk

from headstart.serving.engines.base import Launch
from headstart.serving.engines.echo import Echo
from headstart.serving.replica import free_port
from tests.serving.workers.running import KEY, Worker, echo_model, running, until

WORDS = "one two three four five"
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"days": {"type": "integer", "minimum": 2}},
            "required": ["days"],
        },
    },
}


def user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def test_it_starts_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    with running(Echo(), echo_model(), tmp_path):
        assert time.monotonic() - began < 10  # a loaded machine; alone it takes 0.4 s


def test_a_whole_answer(echo: Worker) -> None:
    answer = echo.chat(WORDS)
    assert answer.choices[0].message.content == WORDS
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 5
    assert answer.usage.prompt_tokens == 8  # the words and three marks


def test_a_stream_spells_the_same(echo: Worker) -> None:
    stream = echo.chat(
        WORDS,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks: list[ChatCompletionChunk] = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == WORDS
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 13
    assert chunks[0].choices[0].delta.role == "assistant"
    assert (chunks[0].model_extra or {})["prompt"] == f"<|user|>\n{WORDS}\n<|assistant|>\n"


def test_no_usage_unless_asked_for(echo: Worker) -> None:
    stream = echo.chat("hi", stream=True)
    assert all(chunk.usage is None and chunk.choices for chunk in stream)


def test_the_last_user_or_tool_message_is_said(echo: Worker) -> None:
    messages: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "no"},
    ]
    assert echo.chat("", messages=messages).choices[0].message.content == "ab"
    messages.append({"role": "tool", "tool_call_id": "1", "content": "42"})
    assert echo.chat("", messages=messages).choices[0].message.content == "42"


def test_max_tokens_stop_and_n(echo: Worker) -> None:
    answer = echo.chat(WORDS, max_tokens=2, n=3)
    assert [choice.message.content for choice in answer.choices] == ["one two"] * 3
    assert {choice.finish_reason for choice in answer.choices} == {"length"}
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 6
    answer = echo.chat(WORDS, stop=["three", "five"])
    assert answer.choices[0].message.content == "one two "
    assert answer.choices[0].finish_reason == "stop"


def test_logprobs_cover_what_is_shown(echo: Worker) -> None:
    for stream in (False, True):
        made = echo.chat(WORDS, logprobs=True, stop=" four", stream=stream)
        parts = list(made) if stream else [made]
        logprobs = [part.choices[0].logprobs for part in parts]
        tokens = [token for logs in logprobs if logs for token in logs.content or []]
        assert "".join(token.token for token in tokens) == "one two three"
        assert all(token.logprob < 0 and bytes(token.bytes or []) for token in tokens)


def test_one_top_logprob_at_temperature_zero(echo: Worker) -> None:
    answer = echo.chat("a b", logprobs=True, top_logprobs=1, temperature=0)
    assert answer.choices[0].logprobs is not None
    for token in answer.choices[0].logprobs.content or []:
        assert [top.token for top in token.top_logprobs] == [token.token]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"logprobs": True, "top_logprobs": 5}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 1, "temperature": 1}, "top_logprobs"),
        ({"top_logprobs": 1}, "top_logprobs"),
        ({"logit_bias": {"1": 5}}, "logit_bias"),
        ({"temperature": 3}, "temperature"),
        ({"n": 10**9}, "n"),
        ({"seed": 10**40}, "seed"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"stop": [""]}, "stop.0"),
        ({"extra_body": {"temprature": 1}}, "temprature"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"tools": [TOOL], "tool_choice": "sometimes"}, "tool_choice"),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "x"}}},
            "tool_choice",
        ),
    ],
)
def test_bad_requests_name_the_parameter(echo: Worker, more: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        echo.chat("x", **more)
    assert refused.value.param == param
    assert refused.value.type == "invalid_request_error"


def test_bodies_that_are_no_requests(echo: Worker) -> None:
    for body in (b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"model": "echo", "messages": []}'):
        refused = echo.post("/v1/chat/completions", body)
        assert (refused["status"], refused["error"]["type"]) == (400, "invalid_request_error")


def test_a_prompt_that_is_too_long_says_both_numbers(echo: Worker) -> None:
    refused = echo.post("/v1/chat/completions", {"model": "m", "messages": user("word " * 5000)})
    error = refused["error"]
    assert refused["status"] == 400
    assert error["code"] == "context_length_exceeded"
    assert (error["n_prompt_tokens"], error["n_ctx"]) == (5003, 4096)
    assert "5003" in error["message"]
    assert "4096" in error["message"]


def test_json_schema_and_json_object(echo: Worker) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    answer = echo.chat(
        "x",
        response_format={"type": "json_schema", "json_schema": {"name": "s", "schema": schema}},
    )
    assert json.loads(answer.choices[0].message.content or "") == {"a": 0}
    answer = echo.chat("x", response_format={"type": "json_object"})
    assert json.loads(answer.choices[0].message.content or "") == {"echo": "x"}


@pytest.mark.parametrize("stream", [True, False])
def test_tool_calls(echo: Worker, stream: bool) -> None:
    made = echo.chat(
        "hello",
        tools=[TOOL],
        tool_choice="required",
        stream=stream,
    )
    if stream:
        chunks = list(made)
        calls = [c for chunk in chunks for c in chunk.choices[0].delta.tool_calls or []]
        assert chunks[-1].choices[0].finish_reason == "tool_calls"
        assert not any(chunk.choices[0].delta.content for chunk in chunks)
    else:
        calls = made.choices[0].message.tool_calls
        assert made.choices[0].finish_reason == "tool_calls"
        assert made.choices[0].message.content is None
    assert len(calls) == 1
    assert calls[0].function.name == "get_weather"
    assert json.loads(calls[0].function.arguments) == {"days": 2}


def test_tools_that_are_not_needed_are_not_called(echo: Worker) -> None:
    for choice in ("auto", "none"):
        answer = echo.chat(
            "hello",
            tools=[TOOL],
            tool_choice=choice,
        )
        assert answer.choices[0].message.content == "hello"
        assert answer.choices[0].finish_reason == "stop"


def test_completions(echo: Worker) -> None:
    assert echo.complete(WORDS).choices[0].text == WORDS
    answer = echo.complete(["a b", "c"], n=2, echo=True)
    assert [choice.text for choice in answer.choices] == ["a ba b", "a ba b", "cc", "cc"]
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    tokens = echo.post("/tokenize", {"content": "c d"})["tokens"]
    assert echo.complete(tokens).choices[0].text == "c d"
    logprobs = echo.complete("c d", logprobs=0).choices[0].logprobs
    assert logprobs is not None
    assert (logprobs.tokens, logprobs.text_offset) == (["c", " d"], [0, 1])
    parts = list(echo.complete("c d", stream=True))
    assert "".join(part.choices[0].text for part in parts) == "c d"
    for more in ({"suffix": "x"}, {"best_of": 3}, {"logprobs": 2}, {"echo": True, "logprobs": 0}):
        with pytest.raises(BadRequestError):
            echo.complete("x", **more)
    bad: list[Any] = [[], [[]], [123456]]
    for prompt in bad:
        with pytest.raises(BadRequestError):
            echo.complete(prompt)


def test_embeddings_of_similar_texts_are_similar(echo: Worker) -> None:
    texts = ["the cat sat", "the cat slept", "stock market news"]
    made = echo.client.embeddings.create(model="echo", input=texts)
    first, second, third = (item.embedding for item in made.data)
    assert sum(a * b for a, b in zip(first, first, strict=True)) == pytest.approx(1, abs=1e-5)
    near = sum(a * b for a, b in zip(first, second, strict=True))
    far = sum(a * b for a, b in zip(first, third, strict=True))
    assert near > 0.5 > far
    raw = echo.post(
        "/v1/embeddings", {"model": "echo", "input": texts[0], "encoding_format": "base64"}
    )
    data = base64.b64decode(raw["data"][0]["embedding"])
    assert list(struct.unpack("<384f", data)) == pytest.approx(first)
    with pytest.raises(BadRequestError, match="dimensions"):
        echo.client.embeddings.create(model="echo", input="x", dimensions=3)


def test_templates_tokens_and_properties(echo: Worker) -> None:
    prompt = echo.post("/apply-template", {"messages": user("a b"), "tools": [TOOL]})["prompt"]
    assert prompt == "<|system|>\nTools: get_weather\n<|user|>\na b\n<|assistant|>\n"
    assert len(echo.post("/tokenize", {"content": "a b  c"})["tokens"]) == 3
    assert echo.get("/props")["n_ctx"] == 4096


def test_other_routes_and_methods(echo: Worker) -> None:
    with pytest.raises(NotFoundError):
        echo.client.files.list()
    assert echo.get("/v1/chat/completions")["status"] == 404


def test_a_wrong_key_is_refused(echo: Worker) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", echo.port)
    for path in ("/props", "/v1/chat/completions", "/tokenize"):
        for headers in ({}, {"Authorization": f"Bearer {KEY}x"}):
            method = "GET" if path == "/props" else "POST"
            connection.request(
                method, path, body=b"{}" if method == "POST" else None, headers=headers
            )
            response = connection.getresponse()
            response.read()
            assert response.status == 401
    connection.close()


@pytest.mark.parametrize("stream", [True, False])
def test_generation_ends_when_the_client_leaves(slow_echo: Worker, stream: bool) -> None:
    body = {"model": "m", "messages": user("word " * 2000), "stream": stream, "n": 2}
    connection = _send(slow_echo.port, body)
    until(lambda: slow_echo.get("/props")["running"] == 2)
    connection.close()
    until(lambda: slow_echo.get("/props")["running"] == 0, 2)


def _send(port: int, body: Any) -> socket.socket:
    data = json.dumps(body).encode()
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        + f"{KEY}\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        + data
    )
    return connection


def test_the_worker_ends_with_its_parent() -> None:
    port = free_port()
    launch = Launch(echo_model(), port, 1)
    script = f"import subprocess; subprocess.run({Echo().command(launch)!r})"
    parent = subprocess.Popen([sys.executable, "-c", script])
    until(lambda: _listens(port))
    parent.kill()
    parent.wait()
    until(lambda: not _listens(port))


def test_sigterm_ends_it_soon_even_amid_an_answer(tmp_path: Path) -> None:
    with running(Echo(), echo_model(), tmp_path, {"delay_ms": 50}) as worker:
        connection = _send(worker.port, {"model": "m", "messages": user("word " * 2000)})
        until(lambda: worker.get("/props")["running"] == 1)
        worker.process.terminate()
        worker.process.wait(8)
        connection.close()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
