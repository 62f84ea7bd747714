"""One server per home: a file lock that dies with its process, and where that server listens.

The lock is the kernel's (`flock`), so a server that was killed leaves nothing to clean up: its
`server.lock` and `server.json` stay as files, but no longer mean anything. Works on Linux and
macOS and on any file system where `flock` does (NFS before version 4 does not count).
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from headstart import __version__
from headstart.errors import Conflict, SettingsError

_LOCK = "server.lock"
_INFO = "server.json"
_PATIENCE_S = 0.5  # a command line that looks whether a server runs holds the lock for a moment


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """The server that holds a home."""

    pid: int
    address: str  # "http://127.0.0.1:8080"
    started_at: float
    version: str


class HomeLock:
    """Exclusive use of a home by this process, from `acquire` to `release`.

    Also a context manager. Worker processes do not inherit it.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the home, or raise `Conflict` that names who has it."""
        file = _open(self._home)
        deadline = time.monotonic() + _PATIENCE_S
        while not _try_lock(file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                file.close()
                raise _taken(self._home)
            time.sleep(0.02)
        (self._home / _INFO).unlink(missing_ok=True)  # of a server that was killed
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def publish(self, address: str) -> None:
        """Let others find the server, now that it listens."""
        info = ServerInfo(os.getpid(), address, time.time(), __version__)
        new = self._home / f"{_INFO}.new"
        new.write_text(json.dumps(asdict(info)), "utf-8")
        new.replace(self._home / _INFO)

    def release(self) -> None:
        if self._file is not None:
            (self._home / _INFO).unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def running_server(home: Path) -> ServerInfo | None:
    """The server that listens on this home now; None when there is none (yet)."""
    try:
        with (home / _LOCK).open("r") as file:
            if _try_lock(file, fcntl.LOCK_SH):
                return None
    except OSError:
        return None
    return _published(home)


def _published(home: Path) -> ServerInfo | None:
    try:
        return ServerInfo(**json.loads((home / _INFO).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _open(home: Path) -> IO[str]:
    try:
        home.mkdir(0o700, parents=True, exist_ok=True)
        return (home / _LOCK).open("a")
    except OSError as error:
        raise SettingsError(
            f"cannot use {home} as home: {error.strerror}. Set HEADSTART_HOME (or --home) to a "
            "folder that this user can write to.",
            param="home",
        ) from error


def _try_lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken(home: Path) -> Conflict:
    info = _published(home)
    if info is not None:
        who = f"pid {info.pid}, at {info.address}"
    else:
        who = f"pid {(home / _LOCK).read_text('utf-8') or 'unknown'}, still starting or stopping"
    return Conflict(
        f"Another server already uses {home} ({who}). Use that one, stop it, or start this one "
        "with another home: --home FOLDER.",
        code="home_in_use",
    )
