"""The smallest instance of a JSON schema, for the engine without a model to think of a better one.

Follows `$ref` and the usual keywords; a schema that it cannot satisfy is refused.
"""

from __future__ import annotations

import math
from typing import Any

from headstart.errors import BadRequest

_MAX_DEPTH = 32


def smallest(schema: dict[str, Any]) -> Any:
    """An instance with only what is required, and every value as small as allowed."""
    return _value(schema, schema, 0)


def _value(schema: Any, root: dict[str, Any], depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise _unsatisfiable("it nests without end")
    if schema is True:
        return None
    if not isinstance(schema, dict):
        raise _unsatisfiable(f"{schema!r} allows no value")
    if "$ref" in schema:
        return _value(_resolve(schema["$ref"], root), root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for keyword in ("anyOf", "oneOf", "allOf"):
        if schema.get(keyword):
            return _value(schema[keyword][0], root, depth + 1)
    kinds = schema.get("type", "object" if "properties" in schema else "null")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        return {name: _value(properties.get(name, True), root, depth + 1) for name in required}
    if kind == "array":
        items = schema.get("prefixItems", [])
        count = max(schema.get("minItems", 0), len(items) if items else 0)
        rest = schema.get("items", True)
        return [_value(items[i] if i < len(items) else rest, root, depth + 1) for i in range(count)]
    return _scalar(kind, schema)


def _scalar(kind: str, schema: dict[str, Any]) -> Any:
    if kind == "string":
        return "x" * schema.get("minLength", 0)
    if kind in ("integer", "number"):
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        least = max(least, 0) if schema.get("maximum", math.inf) >= 0 else schema["maximum"]
        step = schema.get("multipleOf")
        if step:
            return math.ceil(least / step) * step
        if least == schema.get("exclusiveMinimum"):
            least += 1
        return math.ceil(least) if kind == "integer" else least
    if kind == "boolean":
        return False
    if kind == "null":
        return None
    raise _unsatisfiable(f"'{kind}' is no type")


def _resolve(reference: Any, root: dict[str, Any]) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise _unsatisfiable(f"the reference {reference!r} does not point into the schema")
    found: Any = root
    for part in reference.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or name not in found:
            raise _unsatisfiable(f"the reference {reference!r} leads nowhere")
        found = found[name]
    return found


def _unsatisfiable(why: str) -> BadRequest:
    return BadRequest(f"the JSON schema cannot be satisfied: {why}", param="response_format")
