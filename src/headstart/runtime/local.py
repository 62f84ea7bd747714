"""Processes on this machine, each in a session of its own.

No process outlives its server: the kernel kills it with the server (`leash.py`), and what slips
through (children of a worker, other systems than Linux) is found by its note under the home and
ended at the next start. Not thread-safe: spawn from one event loop, whose thread must live as
long as the processes (the kernel watches the thread that spawned).
"""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import structlog
from pydantic import BaseModel, ValidationError

from headstart.runtime.base import Process, Runtime
from headstart.runtime.logs import Log

log = structlog.get_logger(__name__)

_LEASH = Path(__file__).with_name("leash.py")
_MARK = "HEADSTART_PROCESS"
_CHILDREN_AGE = 10.0  # seconds; finding children means looking at every process there is
_SAME_TIME = 0.05  # seconds: how exactly a process's start is known
_GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)


class Note(BaseModel):
    """What a later server needs in order to recognise the process, and not another one."""

    pid: int
    started: float
    mark: str
    argv: list[str]


class LocalProcess(Process):
    def __init__(self, process: subprocess.Popen[bytes], note: Path) -> None:
        self.pid = process.pid
        self._process = process
        self._note = note
        self._ended = asyncio.create_task(self._wait())
        self._processes: list[psutil.Process] = []
        self._tree_read = -math.inf

    async def _wait(self) -> int:
        status = await _end_of(self._process)
        _signal_group(self.pid, signal.SIGKILL)  # children that outlived it
        self._note.unlink(missing_ok=True)
        return status

    @property
    def exit_status(self) -> int | None:
        return self._process.returncode

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    def terminate(self) -> None:
        if self.exit_status is None:
            _signal_group(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        if self.exit_status is None:
            _signal_group(self.pid, signal.SIGKILL)

    def memory_bytes(self) -> int | None:
        if self.exit_status is not None:
            return None
        try:
            return sum(process.memory_info().rss for process in self._tree(_CHILDREN_AGE))
        except _GONE:
            return None

    def listens_on(self, port: int) -> bool:
        with suppress(*_GONE):
            for process in self._tree(0):
                for connection in process.net_connections("tcp"):
                    if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                        return True
        return False

    def _tree(self, age: float) -> list[psutil.Process]:
        """It and its children, as they were at most `age` seconds ago."""
        now = time.monotonic()
        if now - self._tree_read > age:
            leader = psutil.Process(self.pid)
            self._processes = [leader, *leader.children(recursive=True)]
            self._tree_read = now
        return [process for process in self._processes if process.is_running()]


class LocalRuntime(Runtime):
    """Runs processes here. `notes` is a folder under the home that only this server uses."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes

    async def spawn(
        self, argv: Sequence[str], env: Mapping[str, str], log_path: Path
    ) -> LocalProcess:
        self._notes.mkdir(parents=True, exist_ok=True)
        mark = secrets.token_hex(8)
        leash = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid())]
        with Log(log_path).open() as output:
            # not the event loop's own: uvloop forks, which libraries with threads do not survive
            process = subprocess.Popen(  # noqa: ASYNC220 - milliseconds, and on the loop's thread
                [*leash, *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**_inherited(), **env, _MARK: mark},
                start_new_session=True,
            )
        path = self._notes / f"{process.pid}.json"
        with suppress(*_GONE):
            started = psutil.Process(process.pid).create_time()
            note = Note(pid=process.pid, started=started, mark=mark, argv=list(argv))
            path.write_text(note.model_dump_json(), "utf-8")
        return LocalProcess(process, path)

    async def end_orphans(self) -> int:
        return await asyncio.to_thread(self._end_orphans)

    def _end_orphans(self) -> int:
        ended = 0
        for path in sorted(self._notes.glob("*.json")):
            try:
                note = Note.model_validate_json(path.read_bytes())
            except (OSError, ValidationError):  # cut short by a crash: says nothing any more
                path.unlink(missing_ok=True)
                continue
            left = _left_of(note)
            for process in left:
                with suppress(*_GONE):
                    process.kill()
            psutil.wait_procs(left, timeout=10)
            if left:
                log.warning("ended an orphaned process", pid=note.pid, argv=note.argv)
                ended += 1
            path.unlink(missing_ok=True)
        return ended


async def _end_of(process: subprocess.Popen[bytes]) -> int:
    """Its exit status. A thread of its own waits: processes may outnumber the pool's threads."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def settle(status: int) -> None:
        if not ended.done():
            ended.set_result(status)

    def wait() -> None:
        status = process.wait()
        with suppress(RuntimeError):  # the loop is closed: nobody asks any more
            loop.call_soon_threadsafe(settle, status)

    threading.Thread(target=wait, name=f"wait-{process.pid}", daemon=True).start()
    return await ended


def _inherited() -> dict[str, str]:
    """This process's environment without our settings: they hold secrets."""
    return {key: value for key, value in os.environ.items() if not key.startswith("HEADSTART_")}


def _left_of(note: Note) -> list[psutil.Process]:
    """The noted process and its group; never one that got the same pid later.

    A leader is known by its start time, or by the mark in its environment (the clock may have
    been set; a program may have overwritten its environment). Where the leader has ended, the
    mark alone tells.
    """
    group = list(_group(note.pid))
    if any(process.pid == note.pid and _is_noted(process, note) for process in group):
        return group
    return [process for process in group if _has_mark(process, note)]


def _is_noted(process: psutil.Process, note: Note) -> bool:
    with suppress(*_GONE):
        if abs(process.create_time() - note.started) < _SAME_TIME:
            return True
    return _has_mark(process, note)


def _has_mark(process: psutil.Process, note: Note) -> bool:
    with suppress(*_GONE):
        return process.environ().get(_MARK) == note.mark
    return False


def _group(pid: int) -> Iterator[psutil.Process]:
    """Living members of the process group that `pid` leads or led."""
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError, *_GONE):
            if os.getpgid(process.pid) == pid and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
