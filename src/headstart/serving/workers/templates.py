"""A model's chat template: messages in, prompt out, as `transformers` renders them.

Templates come with the weights, so they run in Jinja's sandbox. What a user writes is not escaped:
text that spells a control token is read as one, as by every engine that takes a rendered prompt.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from headstart.errors import BadRequest

_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class ChatTemplate:
    """A compiled template. Models without one get ChatML, as llama.cpp does it."""

    def __init__(self, source: str | None, *, bos: str = "", eos: str = "") -> None:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = _to_json
        environment.globals |= {
            "raise_exception": _raise,
            "strftime_now": _strftime_now,
            "bos_token": bos,
            "eos_token": eos,
        }
        self._template = environment.from_string(source or _CHATML)

    def render(
        self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None = None
    ) -> str:
        """Raises `BadRequest` where the template refuses the messages."""
        try:
            return self._template.render(
                messages=[_with_objects(message) for message in messages],
                tools=tools,
                add_generation_prompt=True,
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise BadRequest(
                f"the model's chat template refuses these messages: {error}", param="messages"
            ) from error


def _with_objects(message: dict[str, Any]) -> dict[str, Any]:
    """Arguments of tool calls as objects: OpenAI sends them as JSON text, templates print them."""
    if not message.get("tool_calls"):
        return message
    return {**message, "tool_calls": [_with_arguments(call) for call in message["tool_calls"]]}


def _with_arguments(call: Any) -> Any:
    if not isinstance(call, Mapping) or not isinstance(call.get("function"), Mapping):
        return call
    arguments = call["function"].get("arguments")
    try:
        parsed = json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        return call
    return {**call, "function": {**call["function"], "arguments": parsed}}


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


def _strftime_now(form: str) -> str:
    return datetime.datetime.now().strftime(form)
