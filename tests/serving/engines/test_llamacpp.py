"""llama.cpp's dialect, both ways; what its server makes of it is in `workers/test_real_chat.py`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headstart.errors import BadRequest
from headstart.serving.engines.llamacpp import LlamaCpp

CHAT, COMPLETION = "v1/chat/completions", "v1/completions"


def form(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}


def test_schemas_become_our_grammars() -> None:
    body = {"response_format": form({"type": "null"}), "model": "m"}
    adapted = LlamaCpp().adapt(CHAT, body)
    assert adapted["grammar"].startswith("root ::= null\n")
    assert "response_format" not in adapted
    assert "response_format" in body  # what the caller keeps for the record is as it was
    adapted = LlamaCpp().adapt(CHAT, {"response_format": {"type": "json_object"}})
    assert adapted["grammar"].startswith("root ::= object\n")
    assert LlamaCpp().adapt(CHAT, {"response_format": {"type": "text"}}) == {}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"response_format": form({"type": "string", "pattern": "a"})}, "response_format"),
        ({"response_format": form({}), "tools": [{"type": "function"}]}, "response_format"),
        ({"tools": [{"type": "function"}], "tool_choice": "required"}, "tool_choice"),
    ],
)
def test_what_it_would_ignore_is_refused(body: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        LlamaCpp().adapt(CHAT, body)
    assert refused.value.param == param


def test_seeds_fit_and_never_mean_random() -> None:
    for seed in (0, 7, 2**32 - 1, 2**63 - 1, -1):
        assert 0 <= LlamaCpp().adapt(CHAT, {"seed": seed})["seed"] < 2**32 - 1
    assert LlamaCpp().adapt(CHAT, {"seed": 7})["seed"] == 7


def test_logprobs_as_many_as_were_asked_for() -> None:
    entry = {"id": 5, "token": "a", "bytes": [97], "logprob": -0.5}
    chunk = {
        "choices": [
            {"index": 0, "logprobs": {"content": [{**entry, "top_logprobs": [entry, entry]}]}}
        ],
        "timings": {"x": 1},
    }
    for top in (0, 1, 2):
        body = {"logprobs": True, "top_logprobs": top}
        assert LlamaCpp().adapt(CHAT, body)["top_logprobs"] == max(top, 1)
        answer = json.loads(LlamaCpp().normalise(body, compact(chunk)))
        (token,) = answer["choices"][0]["logprobs"]["content"]
        assert len(token["top_logprobs"]) == top
        assert "id" not in token
        assert "timings" not in answer


def test_logprobs_of_completions_have_their_own_shape() -> None:
    entry = {"id": 5, "token": "a", "bytes": [97], "logprob": -0.5}
    token = {**entry, "top_logprobs": [entry]}
    chunk = {"choices": [{"index": 0, "text": "a", "logprobs": {"content": [token]}}]}
    answer = json.loads(LlamaCpp().normalise({"logprobs": 1}, compact(chunk)))
    assert answer["choices"][0]["logprobs"] == {
        "tokens": ["a"],
        "token_logprobs": [-0.5],
        "top_logprobs": [{"a": -0.5}],
        "text_offset": None,
    }
    assert LlamaCpp().adapt(COMPLETION, {"prompt": "x", "logprobs": 0}) == {
        "prompt": "x",
        "logprobs": 1,
        "max_tokens": 16,
    }


def test_other_chunks_pass_untouched() -> None:
    chunk = b'{"choices":[{"index":0,"delta":{"content":"logprobs"},"logprobs":null}]}'
    assert LlamaCpp().normalise({}, chunk) is chunk


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
