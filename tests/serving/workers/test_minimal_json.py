from __future__ import annotations

from typing import Any

import pytest
from jsonschema import validate

from headstart.errors import BadRequest
from headstart.serving.workers.minimal_json import smallest

SCHEMAS: list[Any] = [
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    {"type": "array", "items": {"type": "string", "minLength": 2}, "minItems": 2},
    {"type": "integer", "exclusiveMinimum": 3},
    {"type": "number", "minimum": -5, "maximum": -2},
    {"type": "integer", "minimum": 5, "multipleOf": 4},
    {"enum": ["x", "y"]},
    {"anyOf": [{"type": "null"}, {"type": "string"}]},
    {"type": ["string", "null"]},
    {
        "$defs": {"tree": {"type": "object", "properties": {"next": {"$ref": "#/$defs/tree"}}}},
        "$ref": "#/$defs/tree",
    },
    {"type": "array", "prefixItems": [{"const": 1}, {"type": "boolean"}], "minItems": 2},
    {},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_the_smallest_instance_is_one(schema: Any) -> None:
    validate(smallest(schema), schema)


@pytest.mark.parametrize(
    "schema", [{"$ref": "#"}, {"$ref": "#/nowhere"}, {"type": "circle"}, {"$ref": "http://x"}]
)
def test_what_cannot_be_satisfied_is_refused(schema: Any) -> None:
    with pytest.raises(BadRequest, match="cannot be satisfied"):
        smallest(schema)
