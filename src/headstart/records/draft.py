"""A record in the making: collects an answer as it streams; becomes a row at any point of it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from openai.types import Completion, CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from headstart import __version__
from headstart.errors import HeadstartError
from headstart.records.commits import Columns
from headstart.records.records import searchable
from headstart.records.turns import Turn
from headstart.serving.assemble import ChatAssembler, CompletionAssembler
from headstart.serving.base import Call
from headstart.serving.requests import ChatRequest, CompletionRequest, EmbeddingRequest
from headstart.storage.text import storable

T = TypeVar("T")

_SEARCHED = 16_000  # characters of question and of answer that `q` looks at


class Draft(ABC, Generic[T]):
    """One call while it runs. `add` takes what the endpoint yields."""

    kind: ClassVar[str]

    def __init__(
        self, call: Call, request: ChatRequest | CompletionRequest | EmbeddingRequest
    ) -> None:
        self.call = call
        self._request = request
        self._started = time.perf_counter()
        self._first: float | None = None
        self.finished = False  # nothing but the end of the answer is still to come

    @abstractmethod
    def add(self, part: T) -> None: ...

    @abstractmethod
    def question(self) -> str:
        """What was asked, as text."""

    def answer(self) -> str:
        """What was answered so far, as text."""
        return ""

    def choices(self) -> list[dict[str, Any]]:
        return []

    def usage(self) -> dict[str, Any]:
        return {}

    def turn(self, *, complete: bool, recorded: bool) -> Turn | None:
        """What this call adds to its conversation, if it names one."""
        return None

    @property
    def wanted(self) -> bool:
        """Whether caller and app agree to a record."""
        return self.call.trace.keep and self._request.store is not False

    def row(self, status: str, error: Exception | None = None) -> Columns:
        trace, usage = self.call.trace, self.usage()
        return {
            "id": self.call.id,
            "kind": self.kind,
            "created_at": self.call.created_at,
            "model": self._request.model,
            "endpoint": trace.endpoint,
            "app": trace.app,
            "key_id": self.call.principal.key_id,
            "conversation_id": getattr(self._request, "conversation", None),
            "alternative_to": getattr(self._request, "regenerates", None),
            "status": status,
            "error": None if error is None else storable(_message(error)),
            "request": self._request.model_dump(mode="json", by_alias=True, exclude_unset=True),
            "prompt": None if trace.prompt is None else storable(trace.prompt),
            "passages": trace.passages,
            "steps": trace.steps,
            "output": {"choices": self.choices()},
            "text": self._searchable(),
            "prompt_tokens": usage.get("prompt_tokens"),
            "completion_tokens": usage.get("completion_tokens"),
            "first_token_ms": self._first,
            "duration_ms": self._elapsed_ms(),
            "versions": {**trace.versions, "headstart": __version__},
        }

    def _elapsed_ms(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 3)

    def _searchable(self) -> str:
        texts = (self.question()[:_SEARCHED], self.answer()[:_SEARCHED])
        return storable(searchable("\n".join(texts)))


class _Chat(Draft[T]):
    kind = "chat"

    def __init__(self, call: Call, request: ChatRequest) -> None:
        super().__init__(call, request)
        self._chat = request

    def question(self) -> str:
        asked = (each.text for each in reversed(self._chat.messages) if each.role == "user")
        return next(asked, "")

    def answer(self) -> str:
        return "\n".join(choice["message"]["content"] or "" for choice in self.choices())

    def turn(self, *, complete: bool, recorded: bool) -> Turn | None:
        choices = self.choices()
        if self._chat.conversation is None or not choices:
            return None
        answer = choices[0]["message"]
        if not complete and not answer["content"]:
            return None  # stopped before the first word: nothing to come back to
        last = self._chat.messages[-1]
        is_new = self._chat.regenerates is None and last.role in ("user", "tool")
        return Turn(
            conversation_id=self._chat.conversation,
            question=last if is_new else None,
            answer=answer,
            complete=complete,
            record_id=self.call.id if recorded else None,
            alternative_to=self._chat.regenerates,
            created_at=self.call.created_at,
        )


class ChatDraft(_Chat[ChatCompletionChunk]):
    """A chat that streams."""

    def __init__(self, call: Call, request: ChatRequest) -> None:
        super().__init__(call, request)
        self._assembler = ChatAssembler()
        self._open = request.n

    def add(self, part: ChatCompletionChunk) -> None:
        self._assembler.add(part)
        for choice in part.choices:
            if self._first is None and (choice.delta.content or choice.delta.tool_calls):
                self._first = self._elapsed_ms()
            if choice.finish_reason is not None:
                self._open -= 1
                self.finished = self._open <= 0

    def choices(self) -> list[dict[str, Any]]:
        return self._assembler.choices()

    def usage(self) -> dict[str, Any]:
        return self._assembler.usage or {}


class AnswerDraft(_Chat[ChatCompletion]):
    """A chat that is answered in one piece: there is no first token to time."""

    def __init__(self, call: Call, request: ChatRequest) -> None:
        super().__init__(call, request)
        self._choices: list[dict[str, Any]] = []
        self._usage: dict[str, Any] = {}

    def add(self, part: ChatCompletion) -> None:
        self._choices = [choice.model_dump(exclude_unset=True) for choice in part.choices]
        self._usage = part.usage.model_dump(exclude_unset=True) if part.usage else {}

    def choices(self) -> list[dict[str, Any]]:
        return self._choices

    def usage(self) -> dict[str, Any]:
        return self._usage


class CompletionDraft(Draft[Completion]):
    kind = "completion"

    def __init__(self, call: Call, request: CompletionRequest) -> None:
        super().__init__(call, request)
        self._prompt = request.prompt
        self._assembler = CompletionAssembler()
        self._open = request.n * _count(request.prompt)

    def add(self, part: Completion) -> None:
        self._assembler.add(part)
        for choice in part.choices:
            if self._first is None and choice.text:
                self._first = self._elapsed_ms()
            if choice.finish_reason:
                self._open -= 1
                self.finished = self._open <= 0

    def question(self) -> str:
        return _as_text(self._prompt)

    def answer(self) -> str:
        return "\n".join(choice["text"] for choice in self.choices())

    def choices(self) -> list[dict[str, Any]]:
        return self._assembler.choices()

    def usage(self) -> dict[str, Any]:
        return self._assembler.usage or {}


class EmbeddingDraft(Draft[CreateEmbeddingResponse]):
    """Keeps the input and what it cost, not the vectors: they can be computed again."""

    kind = "embedding"

    def __init__(self, call: Call, request: EmbeddingRequest) -> None:
        super().__init__(call, request)
        self._input = request.input
        self._usage: dict[str, Any] = {}

    def add(self, part: CreateEmbeddingResponse) -> None:
        self._usage = {"prompt_tokens": part.usage.prompt_tokens, "completion_tokens": 0}

    def question(self) -> str:
        return _as_text(self._input)

    def usage(self) -> dict[str, Any]:
        return self._usage


def _count(prompt: str | list[str] | list[int] | list[list[int]]) -> int:
    """How many prompts there are: a list of token ids is one."""
    if isinstance(prompt, str) or not prompt or isinstance(prompt[0], int):
        return 1
    return len(prompt)


def _as_text(prompt: str | list[str] | list[int] | list[list[int]]) -> str:
    """Prompts as text; token ids are no text."""
    if isinstance(prompt, str):
        return prompt
    return "\n".join(part for part in prompt if isinstance(part, str))


def _message(error: Exception) -> str:
    return error.message if isinstance(error, HeadstartError) else repr(error)
