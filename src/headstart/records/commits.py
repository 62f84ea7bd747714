"""Group commit: many callers, one writer thread, one transaction for all that wait.

A durable commit costs a disk flush, whether for one row or for five hundred. So the writer takes
whatever has queued up while the last flush ran, and commits that together. `append` returns after
the commit: what it acknowledged survives `kill -9` and a power cut (SQLite with synchronous=FULL).
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from headstart.errors import Conflict, Unavailable
from headstart.storage.database import Database
from headstart.storage.tables import RecordRow

log = structlog.get_logger()

Columns = dict[str, Any]  # all of a row's; a `RecordRow` would cost more than all else here
Also = Callable[[Session], None]  # what else belongs into the transaction of a record

_MAX_WAITING = 4096
_MAX_BATCH = 512
# Not through the ORM, which would take half of the time of a small commit.
_INSERT = insert(RecordRow.metadata.tables[RecordRow.__tablename__])

_written = Counter("headstart_records_written", "Records committed.")
_failed = Counter("headstart_records_failed", "Records that could not be written.")
_seconds = Histogram(
    "headstart_record_commit_seconds",
    "Time of one group commit.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)


@dataclass(slots=True)
class _Unit:
    """What is committed whole or not at all: a record, something else, or both."""

    row: Columns | None
    also: Also | None
    done: asyncio.Future[None] | None = None  # None: nobody waits


class GroupCommit:
    """The writer of records. Use it from one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(_MAX_WAITING)  # back-pressure: later callers wait here
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="records", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Commit what was appended, then end."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(thread.join)

    async def append(self, row: Columns | None, also: Also | None = None) -> None:
        """Returns once the row is durable. Raises `Conflict` (id taken) or `Unavailable`.

        A caller that is cancelled while it waits does not take its row back.
        """
        async with self._room:
            done = asyncio.get_running_loop().create_future()
            self._put(_Unit(row, also, done))
            await done

    def submit(self, row: Columns | None, also: Also | None = None) -> None:
        """Queue a row that nobody waits for. Never raises; a failure is logged."""
        try:
            self._put(_Unit(row, also))
        except Unavailable:
            _failed.inc()
            log.error("record came after the writer had stopped", id=row and row["id"])

    def _put(self, unit: _Unit) -> None:
        if self._thread is None:
            raise Unavailable("Records cannot be written: the server is starting or stopping.")
        self._queue.put(unit)

    # --- on the writer's thread -----------------------------------------------------------------

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, stopping = [first], False
            while len(batch) < _MAX_BATCH and not stopping:
                try:
                    unit = self._queue.get_nowait()
                except queue.Empty:
                    break
                if unit is None:
                    stopping = True
                else:
                    batch.append(unit)
            self._commit(batch)
            if stopping:
                return

    def _commit(self, batch: Sequence[_Unit]) -> None:
        """All of it in one transaction; where that fails, each alone, so that only culprits do."""
        try:
            with _seconds.time(), self._database.engine.begin() as connection:
                rows = [unit.row for unit in batch if unit.row is not None]
                if rows:
                    connection.execute(_INSERT, rows)
                for unit in batch:
                    if unit.also is not None:
                        with Session(connection) as session:
                            unit.also(session)
                            session.flush()
        except Exception as error:
            if len(batch) > 1:
                for unit in batch:
                    self._commit([unit])
            else:
                _failed.inc()
                log.error("record not written", error=str(error))
                _settle(batch, _explained(error, batch[0].row))
        else:
            _written.inc(len(rows))
            _settle(batch, None)


def _settle(batch: Sequence[_Unit], error: Exception | None) -> None:
    """Wake the callers: one hand-over to their event loop for the whole batch."""
    waiting = [unit.done for unit in batch if unit.done is not None]
    if waiting:
        loop = waiting[0].get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(_wake, waiting, error)


def _wake(waiting: Sequence[asyncio.Future[None]], error: Exception | None) -> None:
    for done in waiting:
        if done.cancelled():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


def _explained(error: Exception, row: Columns | None) -> Exception:
    if isinstance(error, IntegrityError) and row is not None:
        return Conflict(f"A record '{row['id']}' exists already.")
    if isinstance(error, DBAPIError):
        explained = Unavailable(
            f"The call could not be recorded ({error.orig}), and Headstart answers nothing that it "
            "cannot record. Free some disk space, or switch recording off (HEADSTART_RECORD=0)."
        )
        explained.__cause__ = error
        return explained
    return error
