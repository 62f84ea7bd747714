"""`Engine`: how to start a worker process that serves a model through the OpenAI API.

An engine is a command, nothing more: the worker it starts listens on a loopback port and speaks
`/health`, `/v1/chat/completions`, `/v1/completions`, `/v1/embeddings` (those that its model can),
`/apply-template` and `/tokenize` (in the form of llama.cpp's server). Engines plug in through
the entry point group `headstart.engines`; ours are listed there first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from headstart.hub.stored import StoredModel


@dataclass(frozen=True, slots=True)
class Launch:
    """One worker to start."""

    model: StoredModel
    port: int
    threads: int
    options: dict[str, Any] = field(default_factory=dict)


class Engine(ABC):
    name: ClassVar[str]

    @abstractmethod
    def refusal(self, model: StoredModel) -> str | None:
        """Why this engine cannot serve this model; None when it can. Never loads weights."""

    @abstractmethod
    def command(self, launch: Launch) -> list[str]:
        """The worker's argv. It must listen on 127.0.0.1:`launch.port`."""

    @property
    def unsupported(self) -> frozenset[str]:
        """Request parameters that this engine cannot honour; the API refuses them by name."""
        return frozenset()
