"""Keeps one worker alive: starts it, watches it, restarts it, and stops it when idle or asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
import structlog

from headstart.errors import Unavailable
from headstart.runtime.logs import Log
from headstart.serving.idle import Activity
from headstart.serving.lifecycle import Lifecycle
from headstart.serving.metrics import EndpointMetrics
from headstart.serving.replica import Replica, WorkerFailed
from headstart.serving.status import State

log = structlog.get_logger(__name__)

StartWorker = Callable[[], Awaitable[Replica]]


@dataclass(frozen=True, slots=True)
class Policy:
    """When a supervisor does what, in seconds."""

    first_pause: float = 0.5  # before the first restart; doubles with each failure in a row
    longest_pause: float = 60.0
    steady: float = 60.0  # a worker that lived this long is not part of a crash loop
    crash_limit: int = 4  # failures in a row that make the endpoint "failed"
    health_every: float = 5.0
    misses: int = 3  # unanswered health checks in a row that make a hang
    drain: float = 30.0  # calls in flight may take this long when it is asked to stop
    call_wait: float = 120.0  # a call waits this long for a worker that is starting

    def pause(self, failures: int) -> float:
        return float(min(self.longest_pause, self.first_pause * 2 ** (failures - 1)))


class Supervisor:
    """One endpoint's worker. `run` is its life; `acquire` and `release` bracket each call."""

    def __init__(
        self,
        name: str,
        start: StartWorker,
        http: aiohttp.ClientSession,
        lifecycle: Lifecycle,
        worker_log: Log,
        idle_timeout: float | None,
        metrics: EndpointMetrics,
        policy: Policy,
    ) -> None:
        self.name = name
        self.replica: Replica | None = None
        self.context_length: int | None = None  # as the worker has it, once one was ready
        self.restarts = 0
        self._start = start
        self._http = http
        self._lifecycle = lifecycle
        self._log = worker_log
        self._idle_timeout = idle_timeout
        self._metrics = metrics
        self._policy = policy
        self._activity = Activity()
        self._wanted = asyncio.Event()
        self._asked = asyncio.Event()
        self._stop = asyncio.Event()

    # --- calls ----------------------------------------------------------------------------

    async def acquire(self) -> Replica:
        """The worker to call, started first if need be. Each needs its `release`."""
        self._activity.enter()
        try:
            return await self.current()
        except BaseException:
            self._activity.leave()
            raise

    def release(self) -> None:
        self._activity.leave()

    async def current(self) -> Replica:
        """The worker that is ready now or next; only for who has acquired."""
        replica = self.replica
        if replica is not None and replica.alive and self._lifecycle.state is State.READY:
            return replica
        self._wanted.set()
        await self._lifecycle.until(self._is_decided, self._policy.call_wait)
        replica, life = self.replica, self._lifecycle
        if life.state is State.READY and replica is not None and replica.alive:
            return replica
        if life.state is State.FAILED:
            raise Unavailable(f"'{self.name}' is not running: {life.error}")
        if life.state is State.PULLING:
            raise Unavailable(f"The model of '{self.name}' is still being fetched{self._done()}.")
        if self._stop.is_set():
            raise Unavailable(f"'{self.name}' is being stopped.")
        raise Unavailable(
            f"'{self.name}' was not ready after {self._policy.call_wait:.0f} s; try again later. "
            f"'headstart endpoints logs {self.name}' shows what it is doing."
        )

    def _is_decided(self) -> bool:
        if self._lifecycle.state is State.READY:
            return self.replica is not None and self.replica.alive
        return self._stop.is_set() or self._lifecycle.state in (State.FAILED, State.PULLING)

    def _done(self) -> str:
        progress = self._lifecycle.progress
        if progress is None or not progress.total:
            return ""
        return f" ({progress.stage} {100 * progress.done // progress.total} %)"

    # --- life -----------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep a worker until `stop` is called."""
        failures = 0
        while not self._stop.is_set():
            self._lifecycle.become(State.STARTING, self._lifecycle.error)
            since, began = self._log.size, time.monotonic()
            try:
                replica = await self._start_unless_stopped()
            except Exception as error:
                if not isinstance(error, WorkerFailed):
                    log.error("worker start failed", endpoint=self.name, exc_info=error)
                failures += 1
                await self._fail(str(error), failures, never_ran=True)
                continue
            if replica is None:
                break
            self.replica = replica
            self.context_length = replica.context_length
            self._activity.touch()
            self._lifecycle.become(State.READY)
            log.info(
                "worker ready",
                endpoint=self.name,
                engine=replica.engine.name,
                pid=replica.process.pid,
                seconds=round(time.monotonic() - began, 2),
            )
            problem = await self._watch(replica, since)
            if problem is None:
                failures = 0
                continue
            lived = time.monotonic() - began
            failures = 1 if lived >= self._policy.steady else failures + 1
            await self._fail(problem, failures)
        self._lifecycle.become(State.STOPPING)

    def request_stop(self) -> None:
        """Let `run` end: it takes no more calls, drains those in flight and stops the worker."""
        self._stop.set()
        self._lifecycle.become(State.STOPPING)

    def retry(self) -> None:
        """Try again at once, where it would have waited longer and longer."""
        self._lifecycle.become(State.STARTING, self._lifecycle.error)
        self._asked.set()

    async def _start_unless_stopped(self) -> Replica | None:
        starting = asyncio.ensure_future(self._start())
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({starting, stop}, return_when=asyncio.FIRST_COMPLETED)
            return starting.result() if starting.done() else None
        finally:
            stop.cancel()
            if not starting.done():
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)

    async def _watch(self, replica: Replica, since: int) -> str | None:
        """Wait for what ends this worker. None when it was meant to end, or else why it ended."""
        try:
            why = await self._end_of(replica)
            while why == "idle" and self._activity.in_flight:  # a call came in just now
                why = await self._end_of(replica)
        except BaseException:
            self.replica = None
            replica.process.kill()
            raise
        if why == "exited":
            self.replica = None
            return str(replica.obituary(self._log, since))
        if why == "hung":
            self.replica = None
            self._lifecycle.become(State.STARTING)
            replica.process.kill()
            await replica.exited
            return f"the {replica.engine.name} worker stopped answering health checks"
        if why == "stopped":
            await self._drain()
        await self._rest(replica)
        return None

    async def _end_of(self, replica: Replica) -> str:
        waits: dict[str, Awaitable[object]] = {
            "exited": asyncio.shield(replica.exited),
            "stopped": self._stop.wait(),
            "hung": self._hung(replica),
        }
        if self._idle_timeout is not None:
            waits["idle"] = self._activity.idle_for(self._idle_timeout)
        return await _first(waits)

    async def _drain(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._policy.drain):
                await self._activity.quiet()

    async def _rest(self, replica: Replica) -> None:
        """Stop the worker and, unless the endpoint is to end, wait for the next call."""
        self.replica = None
        self._wanted.clear()
        self._lifecycle.become(State.STOPPING)
        await replica.stop()
        if self._stop.is_set():
            return
        self._lifecycle.become(State.IDLE)
        log.info("worker stopped, nobody called", endpoint=self.name)
        await _first({"wanted": self._wanted.wait(), "stopped": self._stop.wait()})

    async def _fail(self, problem: str, failures: int, *, never_ran: bool = False) -> None:
        self.restarts += 1
        self._metrics.restarts.inc()
        pause = self._policy.pause(failures)
        log.warning("worker failed", endpoint=self.name, problem=problem, retry_in=pause)
        failed = never_ran or failures >= self._policy.crash_limit
        self._lifecycle.become(State.FAILED if failed else State.STARTING, problem)
        self._asked.clear()
        await _first(
            {
                "time": asyncio.sleep(pause),
                "asked": self._asked.wait(),
                "stopped": self._stop.wait(),
            }
        )

    async def _hung(self, replica: Replica) -> None:
        """Return once the worker has left several health checks in a row unanswered."""
        misses = 0
        while misses < self._policy.misses:
            await asyncio.sleep(self._policy.health_every)
            misses = 0 if await replica.healthy(self._http) else misses + 1
            await asyncio.to_thread(self._log.bound)


async def _first(waits: Mapping[str, Awaitable[object]]) -> str:
    """The name of the first that ended (the first named, of several); the others are cancelled."""
    tasks = {name: asyncio.ensure_future(wait) for name, wait in waits.items()}
    try:
        await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        return next(name for name, task in tasks.items() if task.done())
    finally:
        for task in tasks.values():
            task.cancel()
