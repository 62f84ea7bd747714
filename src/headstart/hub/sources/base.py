"""`Source`: a place that the files of a model can be fetched from."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal

from headstart.errors import BadRequest, Conflict, Unavailable
from headstart.hub.cards import Card
from headstart.hub.cards import Source as CardSource
from headstart.settings import Settings

Stage = Literal["download", "unpack", "verify", "convert"]


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull is, in bytes of the current stage; `total` is None while unknown."""

    stage: Stage
    done: int
    total: int | None


Report = Callable[[PullProgress], None]


class SourceFailed(Unavailable):
    """This source cannot deliver now; the next one may."""


class PullCancelled(Conflict):
    """The caller asked the pull to stop. What was fetched is kept for the next one."""


class Source(ABC):
    """Fetches the files of one variant of a model. Plugs in by the entry point group
    `headstart.sources`, whose names are the `kind` of a source in a card."""

    @abstractmethod
    def __init__(self, spec: CardSource, settings: Settings) -> None:
        """The source that a card's entry describes."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Where it fetches from, in words for a message: "Hugging Face (org/repo)"."""

    @abstractmethod
    def fetch(
        self, destination: Path, report: Report, cancelled: threading.Event
    ) -> dict[str, str]:
        """Put the files into `destination`, an existing folder; returns the SHA-256 that the
        source states for them, by name, where it states any.

        An earlier fetch that was cut short may have left work there: go on from it. On return
        the folder holds the model's files and nothing else. Raises `SourceFailed`, or
        `PullCancelled` soon after `cancelled` is set.
        """

    @classmethod
    def card(cls, name: str, settings: Settings) -> Card:  # noqa: ARG003
        """The card of a model that is named by where it lies: "hf:org/repo"."""
        raise BadRequest(f"{name!r} is no model name: its source has no models to name.")


@cache
def source_type(kind: str) -> type[Source] | None:
    """The source that is installed for a kind: ours, or one of another package."""
    for entry in entry_points(group="headstart.sources", name=kind):
        loaded: type[Source] = entry.load()
        return loaded
    return None


def stop_if(cancelled: threading.Event) -> None:
    if cancelled.is_set():
        raise PullCancelled("The pull was cancelled; pull again to go on from where it stopped.")
