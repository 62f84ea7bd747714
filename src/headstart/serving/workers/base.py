"""`Backend`: what a worker must be able to do for `http.py` to serve it through OpenAI's API.

A backend generates tokens of one choice at a time; many choices run at once. What is the same for
every model (stop strings, tool calls, log-probability shapes, server-sent events) is done above it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from headstart.errors import BadRequest
from headstart.serving.requests import EmbeddingRequest, ResponseFormat

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Token:
    """A generated token. `text` holds whole characters only: a token may end inside one."""

    text: str
    bytes: bytes
    logprob: float | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """What one step added to a choice."""

    tokens: list[Token]
    finish: Finish | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to choose tokens. `None` leaves it to the backend's default."""

    max_tokens: int
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logprobs: bool = False


@dataclass(frozen=True, slots=True)
class Tools:
    """Functions that the model may call, and whether it must. OpenAI's `tools`, already checked."""

    functions: list[dict[str, Any]]
    required: bool = False
    parallel: bool = True


@dataclass(frozen=True, slots=True)
class Job:
    """One choice to generate."""

    prompt: list[int]
    sampling: Sampling
    format: ResponseFormat | None = None
    tools: Tools | None = None


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors in the order of the inputs, each `dimensions` little-endian float32."""

    vectors: list[bytes]
    tokens: int


class Backend(ABC):
    """A loaded model. Everything but `load` is called on the event loop."""

    context_length: int
    unsupported: ClassVar[frozenset[str]] = frozenset()  # request parameters refused by name

    def __init__(self) -> None:
        self.on_failure: Callable[[], None] = lambda: None  # called when it cannot go on

    @property
    def running(self) -> int:
        """Choices being generated now."""
        return 0

    @abstractmethod
    def load(self) -> None:
        """Load the weights; called once, in a thread of its own."""

    def close(self) -> None:  # noqa: B027 - most have nothing to stop
        """Stop what runs; called once, before the process ends."""

    def check(self, job: Job) -> None:  # noqa: B027 - most can do all jobs
        """Raise `BadRequest` for a job that cannot be carried out exactly as asked."""

    @abstractmethod
    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Token ids; `special` adds what the model wants at the start of a text (BOS)."""

    def render(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> str:
        """The prompt that these messages become."""
        raise BadRequest("this model does not chat", param="model")

    def detokenize(self, tokens: list[int]) -> str:
        raise BadRequest("this model takes text, not tokens", param="prompt")

    def generate(self, job: Job) -> AsyncGenerator[Piece, None]:
        """Tokens of one choice, the last piece with its `finish`. Closing it ends the work."""
        raise BadRequest("this model does not generate text", param="model")

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        raise BadRequest("this model does not make embeddings", param="model")
