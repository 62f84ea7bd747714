"""A process's log: a file that it appends to itself, kept within bounds, read from the end."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 8 * 2**20
_BLOCK = 64 * 1024


class Log:
    """A log file and its one predecessor (`.1`).

    The writing process holds the file open in append mode, so it can be cut without telling that
    process: its next line goes to the new end. Lines written during the cut may be lost.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self.path = path
        self.max_bytes = max_bytes

    def open(self) -> BinaryIO:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.bound()
        return self.path.open("ab", buffering=0)

    @property
    def size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def bound(self) -> None:
        """Move the content aside once it is larger than `max_bytes`."""
        if self.size > self.max_bytes:
            shutil.copyfile(self.path, self.path.with_name(self.path.name + ".1"))
            os.truncate(self.path, 0)

    def write(self, line: str) -> None:
        """Add a line of the supervisor's own."""
        with self.open() as file:
            file.write(line.encode() + b"\n")

    def tail(self, lines: int, since: int = 0) -> str:
        """The last `lines` lines that were written after byte `since`."""
        try:
            with self.path.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                start = end
                text = b""
                floor = since if since <= end else 0  # cut in the meantime
                while start > floor and text.count(b"\n") <= lines:
                    step = min(_BLOCK, start - floor)
                    start -= step
                    file.seek(start)
                    text = file.read(step) + text
        except FileNotFoundError:
            return ""
        kept = text.decode("utf-8", "replace").splitlines()[-lines:] if lines > 0 else []
        return "\n".join(kept)

    def after(self, offset: int, max_bytes: int = 2**20) -> tuple[str, int]:
        """What was written after byte `offset` and where to go on; starts anew after a cut."""
        try:
            with self.path.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(offset if offset <= end else 0)
                block = file.read(max_bytes)
                whole = block[: block.rfind(b"\n") + 1]  # a line being written comes next time
                return whole.decode("utf-8", "replace"), file.tell() - len(block) + len(whole)
        except FileNotFoundError:
            return "", 0

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.path.with_name(self.path.name + ".1").unlink(missing_ok=True)
