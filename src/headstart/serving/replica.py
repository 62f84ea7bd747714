"""One worker process: started on a free port, awaited until it answers, asked how it is, stopped.

Loopback is open to every account of the machine, and to every web page in a browser on it. So each
worker gets a key of its own in its environment (`WORKER_KEY`), which every call carries. Whether a
worker asks for it is up to its engine: ours do.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
from pydantic_core import from_json
from yarl import URL

from headstart.hub.stored import StoredModel
from headstart.runtime.base import Process, Runtime
from headstart.runtime.logs import Log
from headstart.serving.engines.base import Engine, Launch

WORKER_KEY = "HEADSTART_WORKER_KEY"

_PORT_ATTEMPTS = 5
_PORT_TAKEN = ("address already in use", "couldn't bind", "could not bind", "errno 98")
_FIRST_POLL, _SLOWEST_POLL = 0.02, 0.25
_TAIL_LINES = 12


class WorkerFailed(Exception):
    """A worker did not start, or ended. As text: how, and the last lines of its log."""

    def __init__(self, how: str, tail: str = "") -> None:
        super().__init__(f"{how}:\n{tail}" if tail else how)
        self.how = how
        self.tail = tail

    @property
    def brief(self) -> str:
        """In one line, with the last thing that the worker said."""
        lines = self.tail.split("\n")
        return f"{self.how}: {lines[-1].strip()}" if lines[-1].strip() else self.how


class _PortTaken(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a worker may take, in seconds."""

    start: float = 600.0  # large weights from a slow disk
    health: float = 10.0  # one answer to /health
    terminate: float = 10.0  # from SIGTERM to SIGKILL


class Replica:
    """A running worker that is ready for calls."""

    def __init__(
        self, process: Process, key: str, launch: Launch, engine: Engine, patience: Patience
    ) -> None:
        self.process = process
        self.port = launch.port
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.model = launch.model
        self.engine = engine
        self.context_length = launch.model.context_length
        self.exited = asyncio.create_task(process.wait())
        self._patience = patience
        self._urls: dict[str, URL] = {}

    @classmethod
    async def start(
        cls,
        runtime: Runtime,
        http: aiohttp.ClientSession,
        engine: Engine,
        model: StoredModel,
        options: dict[str, Any],
        log: Log,
        patience: Patience,
    ) -> Replica:
        """Start a worker and wait until it is ready. Raises `WorkerFailed`."""
        threads = int(options.get("threads") or os.cpu_count() or 1)
        for _ in range(_PORT_ATTEMPTS):
            launch = Launch(model=model, port=free_port(), threads=threads, options=options)
            since, key = log.size, secrets.token_hex(16)
            env = {"PYTHONUNBUFFERED": "1", WORKER_KEY: key}
            try:
                process = await runtime.spawn(engine.command(launch), env, log.path)
            except Exception as error:  # an engine may be anyone's
                raise WorkerFailed(f"{engine.name} cannot start a worker: {error}") from error
            replica = cls(process, key, launch, engine, patience)
            try:
                await replica._until_ready(http, log, since)
            except _PortTaken:
                await replica.stop()
            except BaseException:
                replica.process.kill()
                await replica.exited
                raise
            else:
                return replica
        raise WorkerFailed(f"no free port was found for {engine.name} in {_PORT_ATTEMPTS} attempts")

    @property
    def alive(self) -> bool:
        return self.process.exit_status is None

    async def ended_within(self, period: float) -> bool:
        """Whether the process has ended, or does so in the next `period` seconds."""
        await asyncio.wait({self.exited}, timeout=period)
        return self.exited.done()

    def at(self, path: str) -> URL:
        """The address of a resource of the worker, made once."""
        if path not in self._urls:
            self._urls[path] = URL(f"http://127.0.0.1:{self.port}/{path}")
        return self._urls[path]

    async def healthy(self, http: aiohttp.ClientSession) -> bool:
        timeout = aiohttp.ClientTimeout(total=self._patience.health)
        try:
            async with http.get(
                self.at("health"), headers=self.headers, timeout=timeout
            ) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def stop(self) -> None:
        """End the process; its memory is free when this returns."""
        await self.process.stop(self._patience.terminate)

    def obituary(self, log: Log, since: int) -> WorkerFailed:
        """How it ended, and the last thing that it said."""
        status = self.process.exit_status
        if status is None:
            how = "is still running"
        elif status < 0:
            how = f"was killed by {_signal_name(-status)}"
        else:
            how = f"ended with exit status {status}"
        return WorkerFailed(f"the {self.engine.name} worker {how}", log.tail(_TAIL_LINES, since))

    async def _until_ready(self, http: aiohttp.ClientSession, log: Log, since: int) -> None:
        deadline = time.monotonic() + self._patience.start
        pause = _FIRST_POLL
        while not await self.healthy(http):
            if not self.alive:
                said = log.tail(50, since).lower()
                if any(text in said for text in _PORT_TAKEN):
                    raise _PortTaken
                raise self.obituary(log, since)
            if time.monotonic() > deadline:
                raise WorkerFailed(
                    f"the {self.engine.name} worker was not ready after {self._patience.start:g} s",
                    log.tail(_TAIL_LINES, since),
                )
            await asyncio.wait({self.exited}, timeout=pause)
            pause = min(pause * 1.5, _SLOWEST_POLL)
        if not self.process.listens_on(self.port):  # another program took the port and answered
            raise _PortTaken
        await self._read_context_length(http)

    async def _read_context_length(self, http: aiohttp.ClientSession) -> None:
        timeout = aiohttp.ClientTimeout(total=self._patience.health)
        with suppress(aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError):
            async with http.get(
                self.at("props"), headers=self.headers, timeout=timeout
            ) as response:
                props = from_json(await response.read())
                length = props.get("n_ctx") or props["default_generation_settings"]["n_ctx"]
                self.context_length = int(length)


def free_port() -> int:
    """A loopback port that nobody listens on now; somebody may by the time it is used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
