"""OpenAI's response shapes as plain dicts: streamed chunks and whole answers.

Dicts, because importing the `openai` package would triple a worker's start-up time; the tests
validate every shape against that package's types.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from headstart.serving.workers.base import Token
from headstart.serving.workers.choices import Delta, FinishReason


@dataclass(slots=True)
class Head:
    """What all chunks of one answer have in common."""

    id: str
    model: str
    created: int = field(default_factory=lambda: int(time.time()))

    def chunk(self, object: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.model,
            "choices": choices,
            **more,
        }


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def chat_logprobs(tokens: list[Token], top: int) -> dict[str, Any]:
    """`top` is 0 or 1; 1 only where the chosen token is the most probable one."""
    content = []
    for token in tokens:
        entry = {
            "token": token.text,
            "bytes": list(token.bytes),
            "logprob": token.logprob,
        }
        content.append({**entry, "top_logprobs": [entry] if top else []})
    return {"content": content, "refusal": None}


class ChatShape:
    """Shapes of `/v1/chat/completions`.

    The very first chunk and the whole answer carry the templated prompt as `prompt`, for the record
    of the call.
    """

    whole, part = "chat.completion", "chat.completion.chunk"

    def __init__(self, logprobs: bool, top: int, prompt: str) -> None:
        self._logprobs = logprobs
        self._top = top
        self._prompt = prompt

    def first(self, index: int) -> dict[str, Any]:
        return self._chunk(index, {"role": "assistant", "content": ""})

    def extras(self, index: int) -> dict[str, Any]:
        return {} if index else {"prompt": self._prompt}

    def delta(self, index: int, delta: Delta, calls_before: int) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if delta.text:
            body["content"] = delta.text
        if delta.calls:
            body["tool_calls"] = [
                {"index": calls_before + i, **call} for i, call in enumerate(delta.calls)
            ]
        return self._chunk(index, body, delta.finish, self._of(delta.tokens) or None)

    def choice(self, index: int, whole: Delta) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": whole.text, "refusal": None}
        if whole.calls:
            message["tool_calls"] = whole.calls
            message["content"] = whole.text or None
        logprobs = chat_logprobs(whole.tokens, self._top) if self._logprobs else None
        return {
            "index": index,
            "message": message,
            "finish_reason": whole.finish,
            "logprobs": logprobs,
        }

    def _of(self, tokens: list[Token]) -> dict[str, Any] | None:
        return chat_logprobs(tokens, self._top) if self._logprobs and tokens else None

    def _chunk(
        self,
        index: int,
        delta: dict[str, Any],
        finish: FinishReason | None = None,
        logprobs: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        return {"index": index, "delta": delta, "finish_reason": finish, "logprobs": logprobs}


class CompletionShape:
    """Shapes of `/v1/completions`."""

    whole = part = "text_completion"

    def __init__(self, logprobs: int | None, echoes: list[str]) -> None:
        self._logprobs = logprobs
        self._echoes = echoes  # by choice; what its text starts with
        self._offsets = [len(echo) for echo in echoes]

    def first(self, index: int) -> dict[str, Any] | None:
        echo = self._echoes[index]
        return self._choice(index, echo, None, None) if echo else None

    def extras(self, _index: int) -> dict[str, Any]:
        return {}

    def delta(self, index: int, delta: Delta, _calls_before: int) -> dict[str, Any]:
        return self._choice(index, delta.text, delta.finish, self._of(index, delta.tokens))

    def choice(self, index: int, whole: Delta) -> dict[str, Any]:
        text = self._echoes[index] + whole.text
        return self._choice(index, text, whole.finish, self._of(index, whole.tokens))

    def _of(self, index: int, tokens: list[Token]) -> dict[str, Any] | None:
        if self._logprobs is None:
            return None
        offsets = []
        for token in tokens:
            offsets.append(self._offsets[index])
            self._offsets[index] += len(token.text)
        top = [{token.text: token.logprob} for token in tokens] if self._logprobs else None
        return {
            "tokens": [token.text for token in tokens],
            "token_logprobs": [token.logprob for token in tokens],
            "text_offset": offsets,
            "top_logprobs": top,
        }

    def _choice(
        self,
        index: int,
        text: str,
        finish: FinishReason | None,
        logprobs: dict[str, Any] | None,
    ) -> dict[str, Any]:
        return {"index": index, "text": text, "finish_reason": finish, "logprobs": logprobs}
