from __future__ import annotations

import json
from typing import Any

import pytest

from headstart.errors import BadRequest
from headstart.serving.requests import ResponseFormat
from headstart.serving.workers.base import Tools
from headstart.serving.workers.constraints import constraint
from headstart.serving.workers.tool_calls import ToolCallParser
from tests.serving.grammar.spelling import Speller

WEATHER: dict[str, Any] = {
    "name": "weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"$ref": "#/$defs/name"}},
        "required": ["city"],
        "$defs": {"name": {"enum": ["Rome", "Oslo"]}},
    },
}
ADD: dict[str, Any] = {
    "name": "add",
    "parameters": {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
}


def of_schema(schema: Any) -> ResponseFormat:
    body = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    return ResponseFormat.model_validate(body)


def test_text_and_optional_tools_are_free() -> None:
    assert constraint(None, None) is None
    assert constraint(ResponseFormat(type="text"), Tools([ADD])) is None


def test_json_object() -> None:
    made = constraint(ResponseFormat(type="json_object"), None)
    assert made is not None
    assert all(isinstance(json.loads(Speller(made.grammar, n).text()), dict) for n in range(20))


@pytest.mark.parametrize("parallel", [True, False])
def test_required_tools_spell_calls_that_parse_and_fit(parallel: bool) -> None:
    made = constraint(None, Tools([WEATHER, ADD], required=True, parallel=parallel))
    assert made is not None
    names, most = set(), 0
    for seed in range(60):
        parser = ToolCallParser(["weather", "add"])
        parsed = parser.feed(Speller(made.grammar, seed).text())
        assert parsed.content == ""
        assert parser.flush().content == ""
        most = max(most, len(parsed.calls))
        for call in parsed.calls:
            name = call["function"]["name"]
            arguments = json.loads(call["function"]["arguments"])
            names.add(name)
            assert name == "add" or arguments["city"] in ("Rome", "Oslo")
            assert name == "weather" or isinstance(arguments["a"], int)
    assert names == {"weather", "add"}
    assert (most > 1) == parallel


def test_arguments_that_cannot_be_enforced_are_any_object_unless_strict() -> None:
    function: dict[str, Any] = {
        "name": "f",
        "parameters": {"properties": {"a": {"type": "string", "pattern": "x"}}},
    }
    assert constraint(None, Tools([function], required=True)) is not None
    with pytest.raises(BadRequest, match="'pattern'") as refused:
        constraint(None, Tools([{**function, "strict": True}], required=True))
    assert refused.value.param == "tools"


def test_json_beside_a_required_call_is_refused() -> None:
    with pytest.raises(BadRequest, match="tool_choice"):
        constraint(ResponseFormat(type="json_object"), Tools([ADD], required=True))


def test_long_strings_are_checked_at_the_end() -> None:
    made = constraint(of_schema({"type": "string", "maxLength": 100}), None)
    assert made is not None
    assert made.loose
    assert "char{" not in made.grammar
    assert made.holds(json.dumps("x" * 100))
    assert not made.holds(json.dumps("x" * 101))
    assert not made.holds('"cut by a stop stri')
    short = constraint(of_schema({"type": "string", "maxLength": 30}), None)
    assert short is not None
    assert not short.loose
    assert "char{0,30}" in short.grammar
    assert short.holds("whatever the grammar allowed")
    long = constraint(of_schema({"type": "string", "minLength": 50}), None)
    assert long is not None
    assert not long.holds('"short"')
