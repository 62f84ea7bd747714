"""`llamacpp`: llama.cpp, for every GGUF file and for machines that OpenVINO does not know.

Its server speaks OpenAI's API in a dialect. Both directions are translated here: schemas become
our grammars (its own converter ignores keywords that it does not know and bounds neither digits
nor white space), seeds fit in 32 bits, log-probabilities get OpenAI's shape and number.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json, to_json

from headstart.errors import BadRequest
from headstart.hub.cards import Task
from headstart.hub.stored import StoredModel
from headstart.serving.engines.base import Engine, Launch, worker_command
from headstart.serving.grammar.json_schema import json_grammar

_SEEDS = 2**32 - 1  # its largest value asks for a random seed
_COMPLETION_TOKENS = 16  # OpenAI's default


class LlamaCpp(Engine):
    name = "llamacpp"
    unsupported = frozenset({"best_of", "echo", "suffix"})

    def refusal(self, model: StoredModel) -> str | None:
        if model.path.suffix != ".gguf":
            return f"it loads .gguf files, and {model.path.name} is none"
        if model.task not in (Task.CHAT, Task.EMBEDDING):
            return f"it does not serve models for {model.task}"
        return None

    def command(self, launch: Launch) -> list[str]:
        return worker_command("llamacpp", launch)

    def adapt(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        adapted = dict(body)
        if "seed" in adapted:
            adapted["seed"] %= _SEEDS
        if path.endswith("/chat/completions"):
            _constrain(adapted)
            if adapted.get("logprobs"):
                adapted["top_logprobs"] = adapted.get("top_logprobs") or 1
        elif path.endswith("/completions"):
            adapted.setdefault("max_tokens", _COMPLETION_TOKENS)
            if adapted.get("logprobs") is not None:
                adapted["logprobs"] = adapted["logprobs"] or 1
        return adapted

    def normalise(self, body: dict[str, Any], chunk: bytes) -> bytes:
        if b'"logprobs":{' not in chunk and b'"timings":' not in chunk:
            return chunk
        answer = from_json(chunk)
        answer.pop("timings", None)
        for choice in answer["choices"]:
            logprobs = choice.get("logprobs")
            if not logprobs or "content" not in logprobs:
                continue
            if "text" in choice:
                choice["logprobs"] = _legacy(logprobs["content"], body["logprobs"])
            else:
                logprobs["content"] = _asked_for(logprobs["content"], body.get("top_logprobs"))
        return to_json(answer)


def _constrain(body: dict[str, Any]) -> None:
    if body.get("tools") and body.get("tool_choice", "auto") not in ("auto", "none"):
        raise BadRequest(
            f"tool_choice {body['tool_choice']!r} is not enforced by the engine 'llamacpp'; use "
            "'auto', or deploy the model with another engine",
            param="tool_choice",
            code="unsupported_parameter",
        )
    response = body.pop("response_format", None) or {"type": "text"}
    if response["type"] == "text":
        return
    if body.get("tools"):
        raise BadRequest(
            "response_format cannot be combined with tools on this engine", param="response_format"
        )
    schema = (response.get("json_schema") or {}).get("schema")
    body["grammar"] = json_grammar(schema if schema is not None else {"type": "object"})


def _asked_for(tokens: list[dict[str, Any]], top: int | None) -> list[dict[str, Any]]:
    """Without ids, and with as many alternatives as were asked for: it always gives one."""
    return [
        {**_entry(token), "top_logprobs": [_entry(t) for t in token["top_logprobs"][: top or 0]]}
        for token in tokens
    ]


def _entry(token: dict[str, Any]) -> dict[str, Any]:
    return {name: token[name] for name in ("token", "bytes", "logprob")}


def _legacy(tokens: list[dict[str, Any]], top: int) -> dict[str, Any]:
    """The shape of `/v1/completions`; offsets are not known here, and OpenAI lets them be null."""
    alternatives = [
        {other["token"]: other["logprob"] for other in token["top_logprobs"][:top]}
        for token in tokens
    ]
    return {
        "tokens": [token["token"] for token in tokens],
        "token_logprobs": [token["logprob"] for token in tokens],
        "top_logprobs": alternatives if top else None,
        "text_offset": None,
    }
