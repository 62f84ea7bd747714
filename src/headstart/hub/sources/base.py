"""`Source`: a place that the files of a model can be fetched from."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from headstart.errors import Conflict, Unavailable

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
    """Fetches the files of one variant of a model."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Where it fetches from, in words for a message: "Hugging Face (org/repo)"."""

    @abstractmethod
    def fetch(self, destination: Path, report: Report, cancelled: threading.Event) -> None:
        """Put the files into `destination`, an existing folder.

        An earlier fetch that was cut short may have left work there: go on from it. On return
        the folder holds the model's files and nothing else. Raises `SourceFailed`, or
        `PullCancelled` soon after `cancelled` is set.
        """


def stop_if(cancelled: threading.Event) -> None:
    if cancelled.is_set():
        raise PullCancelled("The pull was cancelled; pull again to go on from where it stopped.")
