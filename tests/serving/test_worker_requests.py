from __future__ import annotations

from typing import Any

import pytest

from headstart.errors import BadRequest
from headstart.serving.requests import CompletionRequest, EmbeddingRequest, Message
from headstart.serving.worker_requests import (
    chat_body,
    completion_body,
    embedding_body,
    plain_messages,
    refuse_unsupported,
)
from tests.serving.fakes import FakeEngine, ask


def message(**fields: Any) -> Message:
    return Message.model_validate(fields)


def test_chat_goes_without_what_is_ours() -> None:
    schema = {"name": "x", "schema": {"type": "object", "default": None}}
    request = ask(
        "hi",
        max_completion_tokens=7,
        temperature=0,
        stop="\n",
        seed=None,
        user="u",
        stream=True,
        store=False,
        metadata={"a": "b"},
        conversation="conv_1",
        regenerates="chatcmpl-0",
        response_format={"type": "json_schema", "json_schema": schema},
    )
    assert chat_body(request) == {
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 7,
        "temperature": 0,
        "stop": ["\n"],
        "response_format": {"type": "json_schema", "json_schema": schema},
    }


def test_a_completion_keeps_its_prompt() -> None:
    request = CompletionRequest.model_validate({"model": "m", "prompt": [1, 2], "max_tokens": 3})
    assert completion_body(request) == {"prompt": [1, 2], "max_tokens": 3}


def test_an_embedding_keeps_its_format() -> None:
    request = EmbeddingRequest.model_validate({"model": "m", "input": "a", "user": "u"})
    assert embedding_body(request) == {"input": "a", "encoding_format": "float"}


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


@pytest.mark.parametrize(
    ("name", "value"),
    [("logit_bias", {"1": 5}), ("n", 2), ("presence_penalty", 0.5), ("tool_choice", "required")],
)
def test_a_parameter_that_the_engine_has_not_is_refused_by_name(name: str, value: Any) -> None:
    engine = FakeEngine(refuses=frozenset({name}))
    with pytest.raises(BadRequest, match=f"'{name}' is not supported by the engine 'fake'") as no:
        refuse_unsupported(engine, ask("hi", **{name: value}))
    assert no.value.param == name
    assert no.value.code == "unsupported_parameter"


@pytest.mark.parametrize(
    ("name", "value"),
    [("logit_bias", {}), ("n", 1), ("presence_penalty", 0), ("seed", None), ("tools", [])],
)
def test_values_that_ask_for_nothing_pass(name: str, value: Any) -> None:
    refuse_unsupported(FakeEngine(refuses=frozenset({name})), ask("hi", **{name: value}))


def test_a_parameter_of_another_kind_of_call_is_not_looked_at() -> None:
    refuse_unsupported(FakeEngine(refuses=frozenset({"dimensions"})), ask("hi"))
