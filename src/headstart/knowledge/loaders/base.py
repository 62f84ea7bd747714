"""What a document loader is, and the ways in which a file can refuse to become a document.

A loader turns one family of files into a `Document`: Markdown text, a title, page offsets. It
runs in a converter process (`isolated.py`), so it may take memory and time, and may even crash.
Loaders plug in by the entry point group `headstart.loaders`, ours included; a loader of another
distribution wins over ours for the suffixes that it names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from headstart.errors import BadRequest
from headstart.knowledge.passages import Document

Reason = Literal[
    "encrypted", "truncated", "no_text", "unsupported", "too_large", "zip_bomb", "invalid"
]


class LoadError(BadRequest):
    """A file that cannot become a document. The message names the file and says why."""

    def __init__(self, code: Reason, message: str) -> None:
        super().__init__(message, param="file", code=code)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the machine one file may take."""

    file_bytes: int = 100 * 2**20
    text_chars: int = 20_000_000  # of the Markdown that comes out: some 10,000 pages
    unpacked_bytes: int = 512 * 2**20  # of all members of a ZIP container together
    memory_bytes: int = 2 * 2**30  # address space of a converter process
    seconds: float = 180.0


class Loader(ABC):
    """Reads one family of files."""

    suffixes: ClassVar[tuple[str, ...]]  # ".pdf": lower case, with the dot

    @abstractmethod
    def load(self, path: Path, filename: str) -> Document:
        """Read the file at `path`. `filename` is what people call it; messages use that name.

        Raises `LoadError`; any other exception is reported as a file that is "invalid".
        """
