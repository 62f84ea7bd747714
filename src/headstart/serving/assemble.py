"""Puts streamed chunks together into the whole answer they spell."""

from __future__ import annotations

from typing import Any

from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice as ChunkChoice

_JOINED = ("content", "refusal")


class ChatAssembler:
    """Collects the chunks of one chat answer, in order; any number of choices."""

    def __init__(self) -> None:
        self._head: ChatCompletionChunk | None = None
        self._choices: dict[int, dict[str, Any]] = {}
        self._usage: dict[str, Any] | None = None

    def add(self, chunk: ChatCompletionChunk) -> None:
        if self._head is None:
            self._head = chunk
        if chunk.usage is not None:
            self._usage = chunk.usage.model_dump(exclude_unset=True)
        for choice in chunk.choices:
            self._add_choice(choice)

    def _add_choice(self, choice: ChunkChoice) -> None:
        whole = self._choices.setdefault(
            choice.index,
            {
                "index": choice.index,
                "message": {"role": "assistant", "content": None, "refusal": None},
                "finish_reason": None,
                "logprobs": None,
            },
        )
        message = whole["message"]
        delta = choice.delta.model_dump(exclude_unset=True, exclude_none=True)
        delta.pop("role", None)
        for name in _JOINED:
            if name in delta:
                message[name] = (message.get(name) or "") + delta.pop(name)
        for call in delta.pop("tool_calls", []):
            _merge_tool_call(message.setdefault("tool_calls", []), call)
        message.update(delta)  # annotations and whatever else comes whole
        if choice.logprobs is not None:
            part = choice.logprobs.model_dump(exclude_unset=True)
            if whole["logprobs"] is None:
                whole["logprobs"] = {"content": [], "refusal": None}
            whole["logprobs"]["content"] += part.get("content") or []
        if choice.finish_reason is not None:
            whole["finish_reason"] = choice.finish_reason

    def choices(self) -> list[dict[str, Any]]:
        """What has arrived so far, in OpenAI's `choices` form; unfinished ones have no reason."""
        return [self._choices[index] for index in sorted(self._choices)]

    @property
    def usage(self) -> dict[str, Any] | None:
        return self._usage

    def completion(self) -> ChatCompletion:
        if self._head is None:
            raise ValueError("no chunk was added")
        return ChatCompletion.model_validate(
            {
                "id": self._head.id,
                "object": "chat.completion",
                "created": self._head.created,
                "model": self._head.model,
                "system_fingerprint": self._head.system_fingerprint,
                "choices": self.choices(),
                "usage": self._usage,
            }
        )


class CompletionAssembler:
    """Collects the chunks of one plain completion, in order; any number of choices."""

    def __init__(self) -> None:
        self._head: Completion | None = None
        self._choices: dict[int, dict[str, Any]] = {}
        self._usage: dict[str, Any] | None = None

    def add(self, chunk: Completion) -> None:
        if self._head is None:
            self._head = chunk
        if chunk.usage is not None:
            self._usage = chunk.usage.model_dump(exclude_unset=True)
        for choice in chunk.choices:
            whole = self._choices.setdefault(
                choice.index,
                {"index": choice.index, "text": "", "finish_reason": None, "logprobs": None},
            )
            whole["text"] += choice.text
            if choice.logprobs is not None:
                part = choice.logprobs.model_dump(exclude_none=True)
                joined = whole["logprobs"] = whole["logprobs"] or {}
                for name, values in part.items():
                    joined[name] = joined.get(name, []) + values
            if choice.finish_reason:
                whole["finish_reason"] = choice.finish_reason

    def choices(self) -> list[dict[str, Any]]:
        """What has arrived so far; unfinished ones have no reason."""
        return [self._choices[index] for index in sorted(self._choices)]

    @property
    def usage(self) -> dict[str, Any] | None:
        return self._usage

    def completion(self) -> Completion:
        if self._head is None:
            raise ValueError("no chunk was added")
        return Completion.model_validate(
            {
                "id": self._head.id,
                "object": "text_completion",
                "created": self._head.created,
                "model": self._head.model,
                "choices": self.choices(),
                "usage": self._usage,
            }
        )


def _merge_tool_call(calls: list[dict[str, Any]], part: dict[str, Any]) -> None:
    index = part.pop("index")
    while len(calls) <= index:
        calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
    call, function = calls[index], part.pop("function", {})
    call.update(part)
    for name in ("name", "arguments"):
        call["function"][name] += function.get(name) or ""
