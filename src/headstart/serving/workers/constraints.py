"""What an answer must look like, as OpenVINO is told: JSON, a JSON schema, or tool calls."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from openvino_genai import StructuredOutputConfig
from pydantic_core import from_json, to_json

from headstart.errors import BadRequest
from headstart.serving.grammar.json_schema import JsonGrammar, grammar_text, literal
from headstart.serving.requests import ResponseFormat
from headstart.serving.workers.base import Tools
from headstart.serving.workers.tool_calls import CLOSE, OPEN

_JSON_OBJECT = {"type": "object"}
_COUNTED = 40  # characters of a string that a grammar counts


class Constraint:
    """A grammar, and what remains to be checked when an answer is complete.

    XGrammar takes a second per token to count the characters of a long string in a large
    vocabulary. So the lengths of long strings are checked afterwards: an answer in which one is
    wrong did not stop, it was too long.
    """

    def __init__(self, grammar: str, schema: dict[str, Any] | None = None) -> None:
        """`schema`: what a complete answer has to validate against, where the grammar is loose."""
        self.grammar = grammar
        self._schema = schema

    def config(self) -> StructuredOutputConfig:
        config = StructuredOutputConfig()
        config.grammar = self.grammar
        return config

    @property
    def loose(self) -> bool:
        return self._schema is not None

    def holds(self, text: str) -> bool:
        """Whether a complete answer validates."""
        if self._schema is None:
            return True
        import jsonschema  # rarely needed, and slow to load

        try:
            jsonschema.validate(json.loads(text), self._schema)
        except (ValueError, jsonschema.ValidationError):
            return False
        return True


def constraint(response: ResponseFormat | None, tools: Tools | None) -> Constraint | None:
    """None where any text will do. Raises `BadRequest` for what cannot be enforced."""
    wants_json = response is not None and response.type != "text"
    if tools is not None and tools.required:
        if wants_json:
            raise BadRequest(
                "response_format cannot be combined with a tool_choice that asks for a call",
                param="response_format",
            )
        return Constraint(tool_grammar(tools))
    if response is None or not wants_json:
        return None
    schema = _JSON_OBJECT
    if response.json_schema is not None and response.json_schema.schema_ is not None:
        schema = response.json_schema.schema_
    return _of_schema(to_json(schema))


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
        return JsonGrammar(schema, prefix, _COUNTED)
    except BadRequest as error:
        if function.get("strict"):
            error.param = "tools"
            raise
        return JsonGrammar(_JSON_OBJECT, prefix, _COUNTED)


@lru_cache(maxsize=64)
def _of_schema(schema: bytes) -> Constraint:
    document = from_json(schema)
    grammar = JsonGrammar(document, counted=_COUNTED)
    text = grammar_text({"root": grammar.root, **grammar.rules})
    return Constraint(text, document if grammar.loose else None)
