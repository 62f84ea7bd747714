"""An endpoint that says what it is told to, and knowledge that finds what it is given."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from openai.types.chat import ChatCompletionChunk

from headstart.knowledge.passages import Passage
from headstart.security.principal import Principal, Role
from headstart.serving.base import Call, Endpoint
from headstart.serving.requests import ChatRequest, Message


def passage(
    text: str, *, number: int = 1, similarity: float = 0.8, start: int = 100, filename: str = ""
) -> Passage:
    return Passage(
        id=f"chunk_{number}",
        store_id="vs_docs",
        file_id=f"file-{number}",
        filename=filename or f"{number}.md",
        text=text,
        start=start,
        end=start + len(text),
        score=similarity,
        similarity=similarity,
        headings=("Guide", "Setup"),
        page=2,
    )


def call() -> Call:
    return Call(id="chatcmpl-1", principal=Principal("key_1", "tester", Role.MEMBER))


def ask(question: str, **parameters: Any) -> ChatRequest:
    messages = parameters.pop("messages", [{"role": "user", "content": question}])
    return ChatRequest.model_validate({"model": "docs", "messages": messages, **parameters})


class FakeEndpoint(Endpoint):
    """Streams `pieces`; a token is a character of content, and every message costs four more."""

    def __init__(self, pieces: Sequence[str] = (), *, context_length: int = 100_000) -> None:
        self.name = "chat"
        self.pieces = list(pieces)
        self.requests: list[ChatRequest] = []
        self.closed = False
        self._context_length = context_length

    async def chat(
        self, call: Call, request: ChatRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        self.requests.append(request)
        try:
            for index in range(request.n):
                for piece in self.pieces:
                    yield self._chunk(index, {"content": piece}, None)
                yield self._chunk(index, {}, "stop")
            yield self._chunk(None, {}, None)
        finally:
            self.closed = True

    async def count_tokens(self, messages: list[Message]) -> int:
        return sum(len(message.text) + 4 for message in messages)

    @property
    def context_length(self) -> int:
        return self._context_length

    @property
    def prompt(self) -> list[tuple[str, str]]:
        """The messages of the last call."""
        return [(message.role, message.text) for message in self.requests[-1].messages]

    def _chunk(self, index: int | None, delta: dict[str, Any], reason: str | None) -> Any:
        choices = (
            [] if index is None else [{"index": index, "delta": delta, "finish_reason": reason}]
        )
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        return ChatCompletionChunk.model_validate(
            {
                "id": "from-worker",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "weights",
                "choices": choices,
                **({} if choices else {"usage": usage}),
            }
        )


class FakeEndpoints:
    def __init__(self, **endpoints: Endpoint) -> None:
        self._endpoints = endpoints

    def resolve(self, name: str) -> Endpoint | None:
        return self._endpoints.get(name)


class FakeKnowledge:
    """Finds the passages given for a query that contains their key; otherwise the default ones."""

    def __init__(self, passages: Sequence[Passage] = (), **by_word: Sequence[Passage]) -> None:
        self.queries: list[str] = []
        self._passages = list(passages)
        self._by_word = by_word

    async def store_ids(self, names: Sequence[str]) -> list[str]:
        return [f"vs_{name}" for name in names]

    async def search(
        self, store_ids: list[str], query: str, *, limit: int = 8, filters: Any = None
    ) -> list[Passage]:
        self.queries.append(query)
        for word, passages in self._by_word.items():
            if word in query:
                return list(passages)[:limit]
        return self._passages[:limit]
