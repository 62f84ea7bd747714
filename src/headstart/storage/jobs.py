"""Durable jobs: work that survives a crash, reports progress and can be cancelled. DBOS does it.

A job is a coroutine function registered under a kind, and JSON arguments. It must be idempotent:
after a crash it runs again from its start with the same arguments, and finds in its own stores
what is done already. Jobs run on the server's event loop; DBOS keeps the ledger of them in a
database of its own, in threads of its own. DBOS allows one instance per process, so does this.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowSerializationFormat, WorkflowStatus

from headstart.errors import HeadstartError, NotFound

log = structlog.get_logger()

State = Literal["queued", "in_progress", "completed", "failed", "cancelled"]
_STATES: dict[str, State] = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "in_progress",
    "SUCCESS": "completed",
    "CANCELLED": "cancelled",
}
KEPT = timedelta(days=30)  # how long the ledger tells of a job that is over
_MAX_THREADS = 64  # each running job waits in one
_POLL_SECONDS = 0.05


@dataclass
class Job:
    """A job as its function sees it."""

    id: str
    arguments: dict[str, Any]
    done: int = 0
    total: int | None = None

    def report(self, done: int, total: int | None) -> None:
        """Tell whoever asks how far the job is."""
        self.done, self.total = done, total


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job as others see it. Progress is known while it runs in this process."""

    id: str
    kind: str
    state: State
    arguments: dict[str, Any]
    created_at: int
    done: int | None = None
    total: int | None = None
    result: Any = None
    error: str | None = None

    @property
    def is_over(self) -> bool:
        return self.state in ("completed", "failed", "cancelled")


JobFunction = Callable[[Job], Awaitable[Any]]


class _Interrupted(BaseException):
    """Leaves a workflow without an outcome. DBOS records any `Exception` as the job's failure."""


@dataclass
class _Kind:
    function: JobFunction
    concurrency: int | None


@dataclass
class _Running:
    job: Job
    future: concurrent.futures.Future[Any]


class Jobs:
    """The jobs of this server. `url` is SQLAlchemy's, of SQLite or PostgreSQL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._kinds: dict[str, _Kind] = {}
        self._running: dict[str, _Running] = {}
        self._workflows: dict[str, Any] = {}
        self._stopping = False

    @classmethod
    def beside(cls, home: Path, database_url: str | None) -> Jobs:
        """Jobs kept in the server's PostgreSQL, or else in a SQLite file of their own."""
        if database_url is not None and database_url.startswith("postgresql"):
            return cls(database_url)
        return cls(f"sqlite:///{home / 'jobs.db'}")

    def register(self, kind: str, function: JobFunction, concurrency: int | None = None) -> None:
        """Make `kind` startable; call it before `start`, or its interrupted jobs cannot go on.

        Without `concurrency` a job starts at once. With it, at most so many of the kind run at a
        time and the others wait in a queue, which is looked at once a second.
        """
        self._kinds[kind] = _Kind(function, concurrency)

    async def start(self) -> None:
        """Open the ledger and take up again what a crash or a stop interrupted."""
        self._stopping = False
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._launch, loop)

    async def stop(self) -> None:
        """Interrupt what runs; the next `start` takes it up again."""
        self._stopping = True
        running = list(self._running.values())
        for entry in running:
            entry.future.cancel()
        futures = [asyncio.wrap_future(entry.future) for entry in running]
        await asyncio.gather(*futures, return_exceptions=True)
        await asyncio.to_thread(lambda: DBOS.destroy(destroy_registry=True))

    async def submit(self, kind: str, arguments: dict[str, Any], job_id: str | None = None) -> str:
        """Start a job, or queue it; returns its id. An id that was used already starts nothing."""
        if kind not in self._kinds:
            raise ValueError(f"no job kind {kind!r} is registered")
        job_id = job_id or f"job_{secrets.token_hex(12)}"
        await asyncio.to_thread(self._submit, kind, arguments, job_id)
        return job_id

    async def status(self, job_id: str) -> JobStatus:
        status = await asyncio.to_thread(DBOS.get_workflow_status, job_id)
        if status is None:
            raise NotFound(f"No job '{job_id}'.")
        return self._status(status)

    async def wait(self, job_id: str) -> JobStatus:
        """Until the job is over."""
        while not (status := await self.status(job_id)).is_over:
            if (entry := self._running.get(job_id)) is not None:
                await asyncio.wait([asyncio.wrap_future(entry.future)])
            await asyncio.sleep(_POLL_SECONDS)  # until the outcome is in the ledger
        return status

    async def cancel(self, job_id: str) -> JobStatus:
        """Cancel the job; what it did stays done. A job that is over stays as it is."""
        if (status := await self.status(job_id)).is_over:
            return status
        await asyncio.to_thread(DBOS.cancel_workflow, job_id)
        if (entry := self._running.get(job_id)) is not None:
            entry.future.cancel()
            await asyncio.wait([asyncio.wrap_future(entry.future)])
        return await self.status(job_id)

    async def list(self, kind: str, states: set[State] | None = None) -> list[JobStatus]:
        """Jobs of a kind, newest first."""
        names = None if states is None else [n for n, state in _STATES.items() if state in states]
        found = await asyncio.to_thread(
            lambda: DBOS.list_workflows(name=_name(kind), status=names, sort_desc=True)
        )
        return [self._status(status) for status in found]

    def _launch(self, loop: asyncio.AbstractEventLoop) -> None:
        _silence()
        config: DBOSConfig = {
            "name": "headstart",
            "system_database_url": self.url,
            "application_version": "headstart",  # a newer release takes up an older one's jobs
            "executor_id": "local",
            "enable_otlp": False,
            "log_level": "ERROR",
            "max_executor_threads": _MAX_THREADS,
        }
        DBOS(config=config)
        self._workflows = {
            name: self._workflow_of(name, kind, loop) for name, kind in self._kinds.items()
        }
        DBOS.launch()
        self._forget_old()
        for name, kind in self._kinds.items():
            if kind.concurrency is not None:
                DBOS.register_queue(
                    _name(name), global_concurrency=kind.concurrency, on_conflict="always_update"
                )

    def _forget_old(self) -> None:
        before = datetime.now(UTC) - KEPT
        old = DBOS.list_workflows(
            completed_before=before.isoformat(), load_input=False, load_output=False
        )
        if old:
            DBOS.delete_workflows([status.workflow_id for status in old])

    def _workflow_of(self, name: str, kind: _Kind, loop: asyncio.AbstractEventLoop) -> Any:
        def run(arguments: dict[str, Any]) -> Any:
            job_id = DBOS.workflow_id
            if self._stopping or job_id is None:
                raise _Interrupted
            job = Job(job_id, arguments)
            future = asyncio.run_coroutine_threadsafe(_run(kind.function, job), loop)
            self._running[job_id] = _Running(job, future)
            try:
                return future.result()
            except concurrent.futures.CancelledError:
                raise _Interrupted from None
            finally:
                self._running.pop(job_id, None)

        return DBOS.workflow(
            name=_name(name),
            max_recovery_attempts=None,
            serialization_type=WorkflowSerializationFormat.PORTABLE,
        )(run)

    def _submit(self, kind: str, arguments: dict[str, Any], job_id: str) -> None:
        with SetWorkflowID(job_id):
            if self._kinds[kind].concurrency is None:
                DBOS.start_workflow(self._workflows[kind], arguments)
            else:
                DBOS.enqueue_workflow(_name(kind), self._workflows[kind], arguments)

    def _status(self, status: WorkflowStatus) -> JobStatus:
        entry = self._running.get(status.workflow_id)
        state = _STATES.get(status.status, "failed")
        arguments = status.input["args"][0] if status.input else {}
        return JobStatus(
            id=status.workflow_id,
            kind=status.name.removeprefix("headstart."),
            state=state,
            arguments=arguments,
            created_at=(status.created_at or 0) // 1000,
            done=entry.job.done if entry else None,
            total=entry.job.total if entry else None,
            result=status.output if state == "completed" else None,
            error=str(status.error) if state == "failed" else None,
        )


async def _run(function: JobFunction, job: Job) -> Any:
    try:
        return await function(job)
    except HeadstartError:
        raise
    except Exception:
        log.exception("job failed", job=job.id)
        raise


def _name(kind: str) -> str:
    return f"headstart.{kind}"


def _silence() -> None:
    """Send DBOS's log to ours instead of the console."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
