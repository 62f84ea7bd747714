"""`Endpoint`: anything that answers by model name.

A deployed model, an app and (later) a remote provider are all endpoints, and so is a wrapper that
records, meters or guards another endpoint. A `Call` goes down the chain; chunks come back up.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from openai.types import Completion, CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from headstart.errors import BadRequest
from headstart.security.principal import Principal
from headstart.serving.assemble import ChatAssembler, CompletionAssembler
from headstart.serving.requests import ChatRequest, CompletionRequest, EmbeddingRequest, Message


@dataclass(slots=True)
class Trace:
    """What happened on the way: filled in by whoever did it, kept by the record."""

    endpoint: str | None = None
    app: str | None = None
    prompt: str | None = None  # what the model saw, chat template applied
    passages: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    versions: dict[str, Any] = field(default_factory=dict)
    keep: bool = True  # an app may switch its own recording off


@dataclass(slots=True)
class Call:
    """One call on its way down. `id` is what the client gets and the record's id."""

    id: str
    principal: Principal
    trace: Trace = field(default_factory=Trace)
    created_at: float = field(default_factory=time.time)


class Endpoint(ABC):
    """Answers calls. Streaming is the native form; everything else is derived from it once."""

    name: str

    @abstractmethod
    def chat(self, call: Call, request: ChatRequest) -> AsyncGenerator[ChatCompletionChunk, None]:
        """Answer, chunk by chunk.

        The last chunk of each choice carries its `finish_reason`; after them comes one chunk
        with empty `choices` and `usage`, always (the API drops it for clients that did not ask).
        Closing the iterator stops the generation. Raises `HeadstartError`.
        """

    def complete(self, call: Call, request: CompletionRequest) -> AsyncGenerator[Completion, None]:
        """Continue a plain prompt, chunk by chunk, ending as `chat` does."""
        raise BadRequest(f"'{self.name}' does not serve /v1/completions", param="model")

    async def embed(self, call: Call, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        raise BadRequest(
            f"'{self.name}' does not make embeddings; use an embedding model", param="model"
        )

    async def count_tokens(self, messages: list[Message]) -> int:
        """Tokens of the prompt that these messages become, chat template applied."""
        raise BadRequest(f"'{self.name}' does not count tokens", param="model")

    @property
    @abstractmethod
    def context_length(self) -> int:
        """Tokens that prompt and answer may have together."""

    async def answer(self, call: Call, request: ChatRequest) -> ChatCompletion:
        """The whole answer at once: the chunks of `chat`, put together."""
        assembler = ChatAssembler()
        async for chunk in self.chat(call, request):
            assembler.add(chunk)
        return assembler.completion()

    async def continuation(self, call: Call, request: CompletionRequest) -> Completion:
        """The whole continuation at once: the chunks of `complete`, put together."""
        assembler = CompletionAssembler()
        async for chunk in self.complete(call, request):
            assembler.add(chunk)
        return assembler.completion()
