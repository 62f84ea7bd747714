"""Conversion in processes of their own, so that no file can take the server down.

A converter process has a memory limit and a deadline; one that crashes, hangs or runs out of
memory costs the file that did it, and the next file gets a new process. Processes start when
needed, serve many files and end when idle. This limits damage, it is no sandbox: a converter
process can still read what the server's user can read, though it gets no settings and no keys.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from headstart.knowledge.loaders.base import Limits, LoadError
from headstart.knowledge.loaders.dispatch import out_of_memory
from headstart.knowledge.passages import Document

_IDLE_SECONDS = 60.0
_INHERITED = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "VIRTUAL_ENV")
_STARVED = (signal.SIGABRT, signal.SIGKILL)  # what an allocator or the kernel ends a process with


class Converters:
    """A pool of converter processes. Thread-safe; `load` blocks, so call it in a thread."""

    def __init__(self, size: int | None = None, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._free = threading.BoundedSemaphore(size or min(4, os.cpu_count() or 1))
        self._lock = threading.Lock()
        self._idle: list[_Converter] = []

    def load(self, path: Path, filename: str) -> Document:
        """The file as a document. Raises `LoadError`."""
        with self._free:
            answer = self._ask({"path": str(path.absolute()), "filename": filename}, filename)
        if "code" in answer:
            raise LoadError(answer["code"], answer["message"])
        return Document(answer["text"], answer["title"], tuple(answer["pages"]))

    def close(self) -> None:
        """End the idle processes; those at work end with their file."""
        with self._lock:
            idle, self._idle = self._idle, []
        for converter in idle:
            converter.end()

    def _ask(self, request: dict[str, str], filename: str) -> dict[str, Any]:
        while True:
            with self._lock:
                converter = self._idle.pop() if self._idle else None
            converter = converter or _Converter(self.limits)
            try:
                answer = converter.ask(request, self.limits.seconds)
            except _Retired:  # it had ended by itself just before: nothing was lost
                converter.end()
                continue
            except TimeoutError:
                converter.end()
                raise LoadError(
                    "too_large",
                    f"'{filename}' takes longer than {self.limits.seconds:,.0f} s to be converted, "
                    "which is the limit. Split it.",
                ) from None
            except _Crashed as crash:
                converter.end()
                raise self._reason(crash, filename) from None
            with self._lock:
                self._idle.append(converter)
            return answer

    def _reason(self, crash: _Crashed, filename: str) -> LoadError:
        if -crash.status in _STARVED:
            return out_of_memory(filename, self.limits)
        how = f"status {crash.status}"
        with suppress(ValueError):
            how = signal.Signals(-crash.status).name
        return LoadError("invalid", f"'{filename}' crashes its converter ({how}); it is damaged.")


class _Crashed(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


class _Retired(Exception):
    pass


class _Converter:
    """One converter process, and the two pipes to it."""

    def __init__(self, limits: Limits) -> None:
        argv = [sys.executable, "-m", "headstart.knowledge.loaders.worker"]
        self._process = subprocess.Popen(
            [*argv, json.dumps(asdict(limits)), str(_IDLE_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={
                **{name: os.environ[name] for name in _INHERITED if name in os.environ},
                "MALLOC_ARENA_MAX": "2",  # arenas reserve address space, which is what is limited
                "OMP_NUM_THREADS": "1",
                "PYTHONUTF8": "1",
            },
            start_new_session=True,  # Ctrl-C is the server's to handle
        )

    def ask(self, request: dict[str, str], seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        except OSError:
            raise self._ended() from None
        size = int.from_bytes(self._read(8, deadline), "big")
        answer: dict[str, Any] = json.loads(self._read(size, deadline))
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _read(self, size: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while len(received) < size:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                block = self._process.stdout.read(min(size - len(received), 2**20))
                if not block:
                    raise self._ended()
                received += block
        return bytes(received)

    def _ended(self) -> _Crashed | _Retired:
        status = self._process.wait()
        return _Retired() if status == 0 else _Crashed(status)
