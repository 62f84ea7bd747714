"""What an answer must look like, as OpenVINO is told: JSON, a JSON schema, or tool calls."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from openvino_genai import StructuredOutputConfig
from pydantic_core import from_json, to_json

from headstart.errors import BadRequest
from headstart.serving.grammar.json_schema import JsonGrammar, grammar_text, json_grammar, literal
from headstart.serving.requests import ResponseFormat
from headstart.serving.workers.base import Tools
from headstart.serving.workers.tool_calls import CLOSE, OPEN

_JSON_OBJECT = {"type": "object"}


def constraint(
    response: ResponseFormat | None, tools: Tools | None
) -> StructuredOutputConfig | None:
    """None where any text will do. Raises `BadRequest` for what cannot be enforced."""
    grammar = grammar_of(response, tools)
    if grammar is None:
        return None
    config = StructuredOutputConfig()
    config.grammar = grammar
    return config


def grammar_of(response: ResponseFormat | None, tools: Tools | None) -> str | None:
    wants_json = response is not None and response.type != "text"
    if tools is not None and tools.required:
        if wants_json:
            raise BadRequest(
                "response_format cannot be combined with a tool_choice that asks for a call",
                param="response_format",
            )
        return tool_grammar(tools)
    if response is None or not wants_json:
        return None
    schema = _JSON_OBJECT
    if response.json_schema is not None and response.json_schema.schema_ is not None:
        schema = response.json_schema.schema_
    return _cached_grammar(to_json(schema))


def tool_grammar(tools: Tools) -> str:
    """One call, or several where `parallel`, of the given functions and nothing else."""
    rules: dict[str, str] = {}
    calls = []
    for number, function in enumerate(tools.functions):
        arguments = _arguments(function, f"f{number}")
        rules |= arguments.rules
        head = json.dumps({"name": function["name"], "arguments": None}, ensure_ascii=False)
        calls.append(f"{literal(head.removesuffix('null}'))} {arguments.root} {literal('}')}")
    more = ' ("\\n" call)*' if tools.parallel else ""
    call = f'"{OPEN}\\n" ({" | ".join(calls)}) "\\n{CLOSE}"'
    return grammar_text({"root": f"call{more}", "call": call, **rules})


def _arguments(function: dict[str, Any], prefix: str) -> JsonGrammar:
    """The grammar of a function's arguments; any object where its schema cannot be enforced and
    the function is not `strict`."""
    schema = {"type": "object", **function.get("parameters", {})}
    try:
        return JsonGrammar(schema, prefix)
    except BadRequest as error:
        if function.get("strict"):
            error.param = "tools"
            raise
        return JsonGrammar(_JSON_OBJECT, prefix)


@lru_cache(maxsize=64)
def _cached_grammar(schema: bytes) -> str:
    return json_grammar(from_json(schema))
