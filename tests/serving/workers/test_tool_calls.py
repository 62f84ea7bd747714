from __future__ import annotations

import json
from typing import Any

import pytest

from headstart.serving.workers.tool_calls import ToolCallParser


def parse(text: str, size: int, names: tuple[str, ...] = ("add",)) -> tuple[str, list[Any]]:
    parser = ToolCallParser(names)
    content, calls = "", []
    for start in range(0, len(text), size):
        parsed = parser.feed(text[start : start + size])
        content += parsed.content
        calls += parsed.calls
    rest = parser.flush()
    calls += rest.calls
    return content + rest.content, [
        (call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls
    ]


CALL = '<tool_call>\n{"name": "add", "arguments": {"a": 1, "b": "<x>"}}\n</tool_call>'


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_calls_are_taken_out_however_they_arrive(size: int) -> None:
    content, calls = parse(f"I will add. {CALL}\n{CALL}", size)
    assert content == "I will add. "
    assert calls == [("add", {"a": 1, "b": "<x>"})] * 2


def test_each_call_has_an_id_of_its_own() -> None:
    made = ToolCallParser(["add"]).feed(CALL + CALL).calls
    assert made[0]["id"] != made[1]["id"]
    assert all(call["type"] == "function" for call in made)


def test_a_call_without_its_closing_mark_counts() -> None:
    assert parse(CALL.removesuffix("</tool_call>"), 5)[1] == [("add", {"a": 1, "b": "<x>"})]


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>{broken</tool_call>",
        '<tool_call>{"name": "unknown", "arguments": {}}</tool_call> more',
        "<tool_call>[1]</tool_call>",
        "a < b, <tool, <tool_call",
        '<tool_call>{"name": ["add"]}</tool_call>',
    ],
)
def test_what_is_no_call_stays_text(text: str) -> None:
    assert parse(text, 4) == (text, [])


def test_arguments_that_are_text_already() -> None:
    call = ToolCallParser(["add"]).feed(
        '<tool_call>{"name": "add", "arguments": "{\\"a\\": 1}"}</tool_call>'
    )
    assert call.calls[0]["function"]["arguments"] == '{"a": 1}'


@pytest.mark.parametrize("size", [1, 1000])
def test_an_answer_of_calls_without_marks(size: int) -> None:
    bare = '{"name": "add", "arguments": {"a": 1}}'
    assert parse(f"\n{bare}\n{bare}", size) == ("", [("add", {"a": 1})] * 2)
    for text in (f"{bare} is the call", '{"a": 1}', "{", f"{bare}{{"):
        assert parse(text, size) == (text, [])
    assert parse(f"Use {bare}", size) == (f"Use {bare}", [])
