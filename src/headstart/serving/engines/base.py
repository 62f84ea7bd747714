"""`Engine`: how to start a worker process that serves a model through the OpenAI API.

An engine is a command, nothing more: the worker it starts listens on a loopback port and speaks
`/health`, `/v1/chat/completions`, `/v1/completions`, `/v1/embeddings` (those that its model can),
`/apply-template` and `/tokenize` (in the form of llama.cpp's server). Engines plug in through
the entry point group `headstart.engines`; ours are listed there first.
"""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from headstart.hub.stored import StoredModel

_OF_LAUNCH = ("context_length", "force", "threads", "variant")  # options that are not the worker's


@dataclass(frozen=True, slots=True)
class Launch:
    """One worker to start."""

    model: StoredModel
    port: int
    threads: int
    options: dict[str, Any] = field(default_factory=dict)


class Engine(ABC):
    name: ClassVar[str]
    answers_whole: ClassVar[bool] = False
    """Whether its worker can be asked for a chat answer in one piece: it then gives the `prompt`
    beside the `choices`, and notices at once when the caller leaves. Others are asked to stream."""

    @abstractmethod
    def refusal(self, model: StoredModel) -> str | None:
        """Why this engine cannot serve this model; None when it can. Never loads weights."""

    @abstractmethod
    def command(self, launch: Launch) -> list[str]:
        """The worker's argv. It must listen on 127.0.0.1:`launch.port`."""

    def adapt(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The request for `path` in the words of this engine's worker, where those are not
        OpenAI's. Raises `BadRequest` for what the worker would ignore."""
        return body

    def normalise(self, body: dict[str, Any], chunk: bytes) -> bytes:
        """A chunk (JSON) of the worker's answer to `body` in OpenAI's shape, where it is not yet.

        `body` is what `adapt` was given."""
        return chunk

    @property
    def unsupported(self) -> frozenset[str]:
        """Request parameters that this engine cannot honour; the API refuses them by name."""
        return frozenset()


def worker_command(module: str, launch: Launch) -> list[str]:
    """The argv of one of our own workers (`serving/workers/process.py` reads it)."""
    options = {key: value for key, value in launch.options.items() if key not in _OF_LAUNCH}
    return [
        sys.executable,
        "-m",
        f"headstart.serving.workers.{module}",
        *("--name", launch.model.name),
        *("--model", str(launch.model.path)),
        *("--port", str(launch.port)),
        *("--threads", str(launch.threads)),
        *("--context-length", str(context_length(launch))),
        *("--task", launch.model.task.value),
        *("--options", json.dumps(options)),
    ]


def context_length(launch: Launch) -> int:
    """The model's context, or less where the option `context_length` says so."""
    wanted = launch.options.get("context_length")
    return min(int(wanted), launch.model.context_length) if wanted else launch.model.context_length
