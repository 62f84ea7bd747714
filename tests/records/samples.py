"""Ready-made callers, rows and endpoints for the tests of records and what builds on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from openai.types import Completion, CreateEmbeddingResponse
from openai.types.chat import ChatCompletionChunk
from sqlalchemy.orm import Session

from headstart.errors import NotFound
from headstart.records.commits import Columns
from headstart.records.records import searchable
from headstart.records.turns import Turn
from headstart.security.principal import Principal, Role
from headstart.serving.base import Call, Endpoint
from headstart.serving.requests import ChatRequest, CompletionRequest, EmbeddingRequest
from headstart.storage.tables import RecordRow

ADMIN = Principal("key_admin", "admin", Role.ADMIN)
ANNA = Principal("key_anna", "anna", Role.MEMBER)
BERT = Principal("key_bert", "bert", Role.MEMBER)


def row(id: str, text: str = "", **changed: Any) -> RecordRow:
    """A completed chat of Anna's with the model 'm'."""
    return RecordRow(**columns(id, text, **changed))


def columns(id: str, text: str = "", **changed: Any) -> Columns:
    """The same, as it is appended."""
    values: dict[str, Any] = {
        "id": id,
        "kind": "chat",
        "created_at": 1_700_000_000.0,
        "model": "m",
        "endpoint": "m",
        "app": None,
        "key_id": ANNA.key_id,
        "conversation_id": None,
        "alternative_to": None,
        "status": "completed",
        "error": None,
        "request": {"model": "m", "messages": [{"role": "user", "content": text}]},
        "prompt": None,
        "passages": [],
        "steps": [],
        "output": {"choices": []},
        "text": searchable(text),
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "first_token_ms": 1.0,
        "duration_ms": 2.0,
        "versions": {},
    }
    return {**values, **changed}


class Scripted(Endpoint):
    """Answers 'one two three' word by word; can fail, or wait for ever, after some chunks."""

    name = "scripted"

    def __init__(
        self, *, fail_after: int | None = None, hang_after: int | None = None, choices: int = 1
    ) -> None:
        self.fail_after = fail_after
        self.hang_after = hang_after
        self.choices = choices
        self.error: Exception = RuntimeError("the worker died")
        self.closed = False
        self.hanging = asyncio.Event()

    @property
    def context_length(self) -> int:
        return 4096

    async def chat(
        self, call: Call, request: ChatRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        call.trace.endpoint = self.name
        call.trace.prompt = "<user>" + request.messages[-1].text
        async with aclosing(self._script(chat_parts(self.choices))) as parts:
            async for part in parts:
                head = {"id": call.id, "object": "chat.completion.chunk", "created": 1}
                yield ChatCompletionChunk.model_validate({**head, "model": request.model, **part})

    async def complete(
        self, call: Call, request: CompletionRequest
    ) -> AsyncGenerator[Completion, None]:
        async with aclosing(self._script(completion_parts())) as parts:
            async for part in parts:
                head = {"id": call.id, "object": "text_completion", "created": 1}
                # not validated: OpenAI's type has no place for a choice that is not finished yet
                yield Completion.construct(**{**head, "model": request.model, **part})

    async def embed(self, call: Call, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        if self.hang_after is not None:
            self.hanging.set()
            await asyncio.Event().wait()
        if self.fail_after is not None:
            raise self.error
        return CreateEmbeddingResponse.model_validate(
            {
                "object": "list",
                "model": request.model,
                "data": [{"object": "embedding", "index": 0, "embedding": [0.25] * 384}],
                "usage": {"prompt_tokens": 5, "total_tokens": 5},
            }
        )

    async def _script(self, parts: list[dict[str, Any]]) -> AsyncGenerator[dict[str, Any], None]:
        try:
            for number, part in enumerate(parts):
                if number == self.fail_after:
                    raise self.error
                if number == self.hang_after:
                    self.hanging.set()
                    await asyncio.Event().wait()
                yield part
        finally:
            self.closed = True


USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def chat_parts(choices: int) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for word in ("one ", "two ", "three"):
        for index in range(choices):
            delta = {"role": "assistant", "content": word}
            choice = {"index": index, "delta": delta, "finish_reason": None}
            parts.append({"choices": [choice]})
    for index in range(choices):
        choice = {"index": index, "delta": {}, "finish_reason": "stop"}
        parts.append({"choices": [choice]})
    return [*parts, {"choices": [], "usage": USAGE}]


def completion_parts() -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "text": word, "finish_reason": reason, "logprobs": None}]}
        for word, reason in (("one ", None), ("two", "stop"))
    ]
    return [*parts, {"choices": [], "usage": USAGE}]


class FakeTurns:
    """Remembers turns; knows the conversation 'conv_anna', which is Anna's."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    def require(self, id: str, principal: Principal) -> object:
        if id != "conv_anna" or principal.key_id != ANNA.key_id:
            raise NotFound(f"No conversation '{id}'.", param="conversation")
        return None

    def append_turn(self, session: Session, turn: Turn) -> None:
        assert session.connection().in_transaction()
        self.turns.append(turn)
