from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from headstart.errors import BadRequest
from headstart.serving.grammar.json_schema import json_grammar
from tests.serving.grammar.spelling import Speller

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 8},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "mood": {"enum": ["good", "bad", None, 3]},
        "friend": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
    },
    "required": ["name", "mood"],
    "additionalProperties": False,
}
SHAPES = {
    "oneOf": [
        {
            "type": "object",
            "properties": {"kind": {"const": "circle"}, "r": {"type": "number"}},
            "required": ["kind", "r"],
        },
        {"$ref": "#/$defs/square"},
    ],
    "$defs": {
        "square": {
            "type": "object",
            "properties": {"kind": {"enum": ["square"]}, "a": {"type": "integer"}},
            "required": ["kind"],
        }
    },
}
SCHEMAS: dict[str, Any] = {
    "person": PERSON,
    "shapes": SHAPES,
    "anything": {},
    "object": {"type": "object"},
    "no properties": {"type": "object", "additionalProperties": False},
    "map": {"type": "object", "additionalProperties": {"type": "integer"}},
    "all optional": {
        "type": "object",
        "properties": {name: {"type": "boolean"} for name in "abc"},
    },
    "required but undeclared": {"type": "object", "required": ["x"]},
    "difficult names": {
        "type": "object",
        "properties": {'a"\\\n]': {"const": 'é"\\'}},
        "required": ['a"\\\n]'],
    },
    "array": {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 3},
    "at least": {"type": "array", "items": {"type": "null"}, "minItems": 1},
    "empty array": {"type": "array", "maxItems": 0},
    "tuple": {"type": "array", "prefixItems": [{"const": 1}, {"type": "string"}]},
    "types": {"type": ["string", "null"], "maxLength": 2},
    "by keyword": {"properties": {"a": {"type": "null"}}, "type": "object", "title": "A"},
    "number": {"type": "number"},
    "probability": {"type": "number", "minimum": 0, "maximum": 1},
    "open": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5},
    "negative": {"type": "number", "minimum": -2.5, "maximum": -0.25},
    "one-sided": {"type": "number", "minimum": 0.001},
    "integers": {"type": "integer", "minimum": -12, "maximum": 105},
    "above": {"type": "integer", "exclusiveMinimum": 9},
    "a fraction of integers": {"type": "integer", "minimum": 0.5, "exclusiveMaximum": 3},
    "one of all": {"allOf": [{"type": "integer", "minimum": 5, "maximum": 6}]},
    "typed choice": {"type": "string", "anyOf": [{"maxLength": 1}, {"const": "long"}]},
    **{
        f"format {name}": {"type": "string", "format": name}
        for name in ("date", "time", "date-time", "uuid", "ipv4", "email")
    },
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_whatever_the_grammar_spells_validates(name: str) -> None:
    schema = SCHEMAS[name]
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    grammar = json_grammar(schema)
    spelled = {Speller(grammar, seed).text() for seed in range(60)}
    for text in spelled:
        validator.validate(json.loads(text))
    assert len(spelled) > 1 or name in ("no properties", "empty array", "by keyword")


def test_every_integer_of_a_range_can_be_spelled() -> None:
    grammar = json_grammar({"type": "integer", "minimum": -11, "maximum": 102})
    spelled = {int(Speller(grammar, seed).text()) for seed in range(3000)}
    assert spelled == set(range(-11, 103))


def test_optional_members_come_in_every_combination() -> None:
    grammar = json_grammar(SCHEMAS["all optional"])
    spelled = {tuple(json.loads(Speller(grammar, seed).text())) for seed in range(300)}
    every = {(), ("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c")}
    assert spelled == every


def test_white_space_is_bounded() -> None:
    grammar = json_grammar(PERSON)
    longest = max(len(Speller(grammar, seed, most=10**6).text()) for seed in range(30))
    assert longest < 10_000


REFUSED: list[tuple[Any, str]] = [
    ({"type": "string", "pattern": "^a$"}, "'pattern'"),
    ({"type": "array", "uniqueItems": True}, "'uniqueItems'"),
    ({"not": {"type": "null"}}, "'not'"),
    ({"type": "integer", "multipleOf": 3}, "'multipleOf'"),
    ({"type": "string", "format": "hostname"}, "'hostname'"),
    ({"type": "string", "maxLength": 100_000}, "'maxLength' above"),
    ({"type": "array", "minItems": 10**12}, "'minItems' above"),
    ({"type": "string", "minLength": 3, "maxLength": 2}, "below"),
    ({"type": "string", "minLength": "3"}, "'minLength' is '3'"),
    ({"type": "integer", "minimum": 3, "maximum": 2}, "no integer lies between"),
    ({"type": "number", "minimum": "0"}, "'minimum' is not a number"),
    ({"type": "circle"}, "circle"),
    ({"type": []}, "type"),
    ({"enum": []}, "'enum'"),
    ({"enum": "ab"}, "'enum' is not a list"),
    ({"type": "string", "enum": [1]}, "without a value of its type"),
    ({"$ref": "#"}, "refers to itself"),
    ({"anyOf": [{"$ref": "#"}, {"type": "null"}]}, "refers to itself"),
    ({"$ref": "#/$defs/x"}, "leads nowhere"),
    ({"$ref": "http://example.com"}, "does not point into"),
    ({"$ref": 3}, "the reference 3"),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "'oneOf'"),
    ({"allOf": [{"type": "object"}, {"required": ["a"]}]}, "'allOf'"),
    ({"anyOf": []}, "'anyOf'"),
    ({"enum": [1, 2], "minimum": 2}, "'enum' beside 'minimum'"),
    ({"type": "object", "required": ["a"], "additionalProperties": False}, "'a' is required"),
    ({"type": "object", "properties": []}, "'properties'"),
    ({"type": "object", "properties": {"a": False}, "required": ["a"]}, "allows no value"),
    ({"minimum": 3, "maxLength": 2}, "without 'type'"),
    ({"type": "array", "prefixItems": [{}], "minItems": 3}, "'prefixItems'"),
    ({"type": "array", "prefixItems": 5}, "'prefixItems'"),
    ([], "allows no value"),
]


@pytest.mark.parametrize(("schema", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_cannot_be_enforced_is_refused_by_name(schema: Any, words: str) -> None:
    with pytest.raises(BadRequest) as refused:
        json_grammar(schema)
    assert words in refused.value.message
    assert refused.value.param == "response_format"


def test_a_schema_without_end_is_refused() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"type": "array", "items": deep}
    wide = {"type": "object", "properties": {str(n): {"type": "null"} for n in range(5000)}}
    for schema in (deep, wide):
        with pytest.raises(BadRequest, match="has more than"):
            json_grammar(schema)
