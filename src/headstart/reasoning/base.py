"""`Strategy`: how an app thinks before it answers.

A strategy gets the finished prompt and the endpoint, and yields the chunks of the answer; what it
did on the way (drafts, votes, tool calls) it appends to `call.trace.steps`, which the record
keeps. Strategies plug in through the entry point group `headstart.strategies`, ours first. They
know nothing of retrieval or citations: the app does those around them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from functools import cache
from importlib.metadata import entry_points
from typing import ClassVar

from openai.types.chat import ChatCompletionChunk

from headstart.serving.base import Call, Endpoint
from headstart.serving.requests import ChatRequest

GROUP = "headstart.strategies"


class Strategy(ABC):
    name: ClassVar[str]

    @abstractmethod
    def reason(
        self, call: Call, request: ChatRequest, endpoint: Endpoint
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        """Answer `request`, as `Endpoint.chat` does. Closing the generator stops all work."""


@cache
def strategies() -> dict[str, type[Strategy]]:
    """Every installed strategy by its name."""
    return {point.name: point.load() for point in entry_points(group=GROUP)}
