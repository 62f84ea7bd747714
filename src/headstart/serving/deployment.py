"""One endpoint's life: fetch its model, choose an engine, keep a worker, end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog

from headstart.errors import BadRequest, HeadstartError, NotFound, Unavailable
from headstart.hub.hub import Hub
from headstart.hub.sources.base import PullProgress
from headstart.hub.stored import StoredModel
from headstart.runtime.base import Runtime
from headstart.runtime.logs import Log
from headstart.serving.echo import echo_model, is_echo
from headstart.serving.engines.base import Engine
from headstart.serving.engines.select import Choice, choose
from headstart.serving.lifecycle import Lifecycle
from headstart.serving.metrics import EndpointMetrics
from headstart.serving.replica import Patience, Replica, WorkerFailed
from headstart.serving.room import refuse_without_room
from headstart.serving.status import EndpointStatus, Progress, State
from headstart.serving.supervisor import Policy, Supervisor
from headstart.serving.worker_endpoint import WorkerEndpoint
from headstart.storage.tables import EndpointRow

log = structlog.get_logger(__name__)

_FIRST_PULL_PAUSE, _LONGEST_PULL_PAUSE = 15.0, 3600.0


@dataclass(frozen=True)
class Means:
    """What every deployment works with."""

    hub: Hub
    runtime: Runtime
    http: aiohttp.ClientSession
    engines: Mapping[str, Engine]
    logs: Path
    policy: Policy
    patience: Patience


class Deployment:
    """A deployed model. `row` is what should be; the rest is what is."""

    def __init__(self, row: EndpointRow, means: Means) -> None:
        self.row = row
        self.log = Log(means.logs / f"{row.name}.log")
        self._means = means
        self._metrics = EndpointMetrics(row.name)
        self._lifecycle = Lifecycle(State.PULLING, self._metrics.show_state)
        self._supervisor = Supervisor(
            row.name,
            self._start_worker,
            means.http,
            self._lifecycle,
            self.log,
            row.idle_timeout,
            self._metrics,
            means.policy,
        )
        self.endpoint = WorkerEndpoint(row.name, self._supervisor, means.http, self._metrics)
        self._choice: Choice | None = None  # of the engine that has loaded the model
        self._cancelled = threading.Event()
        self._asked = asyncio.Event()  # to try a pull again, or to stop
        self._stop = asyncio.Event()
        self._life = asyncio.create_task(self._live(), name=f"endpoint {row.name}")

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    async def settled(self, limit: float) -> bool:
        """Wait until it can answer, has failed or is to stop; False after `limit` seconds."""
        decided = (State.READY, State.IDLE, State.FAILED)
        return await self._lifecycle.until(
            lambda: self.stopping or self._lifecycle.state in decided, limit
        )

    def retry(self) -> None:
        """Somebody asks for it again: if it has failed, try again at once."""
        if self._lifecycle.state is not State.FAILED:
            return
        if self.endpoint.model is None:
            self._lifecycle.become(State.PULLING)
            self._asked.set()
        else:
            self._supervisor.retry()

    async def stop(self) -> None:
        """Take no more calls, let those in flight end, end the worker. Safe to call twice."""
        self._stop.set()
        self._asked.set()
        self._cancelled.set()
        self._supervisor.request_stop()
        await asyncio.shield(self._life)

    def forget(self) -> None:
        """Leave nothing of a deleted endpoint behind."""
        self.log.remove()
        self._metrics.forget()

    def status(self) -> EndpointStatus:
        row, life, model = self.row, self._lifecycle, self.endpoint.model
        replica, choice = self._supervisor.replica, self._choice
        return EndpointStatus(
            id=row.id,
            name=row.name,
            model=row.model,
            variant=model.variant if model else None,
            task=model.task if model else None,
            engine=choice.engine.name if choice else None,
            requested_engine=row.engine,
            engine_reason=choice.reason if choice else None,
            status=life.state,
            progress=life.progress,
            error=life.error,
            pid=replica.process.pid if replica else None,
            memory_bytes=replica.process.memory_bytes() if replica else None,
            context_length=self._context_length(),
            idle_timeout=row.idle_timeout,
            restarts=self._supervisor.restarts,
            created_at=row.created_at,
        )

    def _context_length(self) -> int | None:
        model = self.endpoint.model
        return self._supervisor.context_length or (model.context_length if model else None)

    # --- life -----------------------------------------------------------------------------

    async def _live(self) -> None:
        try:
            self.endpoint.model = await self._fetch()
            if self.endpoint.model is not None:
                await self._supervisor.run()
        except Exception as error:
            log.error("endpoint ended by a bug", endpoint=self.row.name, exc_info=error)
            self._lifecycle.become(State.FAILED, f"internal error: {error!r}")

    async def _fetch(self) -> StoredModel | None:
        """The model, however long it takes to reach it; None when stopped before."""
        pause = _FIRST_PULL_PAUSE
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            self._lifecycle.become(State.PULLING)
            thread = ThreadPoolExecutor(1, f"pull-{self.row.name}")  # asyncio's own pool is small
            try:
                return await loop.run_in_executor(thread, self._pull)
            except (HeadstartError, OSError) as error:
                if self._cancelled.is_set():
                    return None
                log.warning("pull failed", endpoint=self.row.name, why=str(error))
                self._lifecycle.become(State.FAILED, str(error))
                retry = isinstance(error, Unavailable) and error.code != "digest_mismatch"
            finally:
                self._lifecycle.progress = None
                thread.shutdown(wait=False)
            self._asked.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause if retry else None):
                    await self._asked.wait()
            pause = min(pause * 2, _LONGEST_PULL_PAUSE)
        return None

    def _pull(self) -> StoredModel:
        row, hub = self.row, self._means.hub
        if is_echo(row.model, row.engine):
            return echo_model(row.model)
        try:
            hub.resolve(row.model)
            is_new = False
        except NotFound:
            is_new = True
        model = hub.pull(
            row.model,
            row.options.get("variant"),
            progress=self._show_progress,
            cancelled=self._cancelled,
        )
        if is_new:  # one that ran before may run again, however full the machine looks
            refuse_without_room(hub, model.name, row.engine, row.options, installed=True)
        return model

    def _show_progress(self, progress: PullProgress) -> None:
        """Called from the pull's thread; one assignment needs no lock."""
        self._lifecycle.progress = Progress(
            stage=progress.stage, done=progress.done, total=progress.total
        )

    async def _start_worker(self) -> Replica:
        """A worker of the chosen engine, or of the first that loads the model."""
        model = self.endpoint.model
        if model is None:
            raise WorkerFailed("the model is not here")
        if self._choice is not None:
            return await self._start_with(self._choice, model)
        failures: list[WorkerFailed] = []
        for choice in self._choices(model):
            try:
                replica = await self._start_with(choice, model)
            except WorkerFailed as failed:
                log.warning("engine cannot load it", endpoint=self.row.name, why=str(failed))
                failures.append(failed)
                continue
            reason = choice.reason
            if failures:
                reason += f", since {'; '.join(failed.brief for failed in failures)}"
            self._choice = Choice(choice.engine, reason)
            log.info("engine chosen", endpoint=self.row.name, engine=choice.engine.name, why=reason)
            return replica
        raise WorkerFailed("\n".join(str(failed) for failed in failures))

    def _choices(self, model: StoredModel) -> list[Choice]:
        try:
            return choose(model, self.row.engine, self._means.engines)
        except BadRequest as error:
            raise WorkerFailed(error.message) from error

    async def _start_with(self, choice: Choice, model: StoredModel) -> Replica:
        means = self._means
        return await Replica.start(
            means.runtime,
            means.http,
            choice.engine,
            model,
            self.row.options,
            self.log,
            means.patience,
        )
