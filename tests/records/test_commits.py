"""Group commit: what was acknowledged is there, whatever happens next."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from headstart.errors import Conflict, Unavailable
from headstart.records.commits import GroupCommit
from headstart.records.records import Records
from headstart.storage.database import Database
from headstart.storage.tables import ConversationRow, RecordRow
from tests.records.samples import columns


def stored(database: Database) -> set[str]:
    with database.session() as session:
        return set(session.scalars(select(RecordRow.id)))


async def test_a_row_is_there_when_append_returns(database: Database, records: Records) -> None:
    await records.append(columns("r1"))
    assert stored(database) == {"r1"}


async def test_many_at_once_share_commits(database: Database, records: Records) -> None:
    commits = 0

    def count(_connection: object) -> None:
        nonlocal commits
        commits += 1

    event.listen(database.engine, "commit", count)
    await asyncio.gather(*(records.append(columns(f"r{number}")) for number in range(1000)))
    assert commits < 100
    assert len(stored(database)) == 1000


async def test_stopping_commits_what_nobody_waited_for(database: Database) -> None:
    records = Records(database)
    await records.start()
    for number in range(100):
        records.submit(columns(f"r{number}"))
    await records.stop()
    assert len(stored(database)) == 100


async def test_nothing_is_accepted_while_stopped(database: Database) -> None:
    records = Records(database)
    with pytest.raises(Unavailable, match="starting or stopping"):
        await records.append(columns("r1"))
    await records.start()
    await records.stop()
    await records.stop()
    with capture_logs() as logs:
        records.submit(columns("r2"))  # a caller that leaves cannot be told
    assert [entry["id"] for entry in logs] == ["r2"]
    assert stored(database) == set()


async def test_one_bad_row_fails_alone(database: Database, records: Records) -> None:
    await records.append(columns("taken"))
    rows = [columns(f"r{number}") for number in range(20)]
    rows.insert(10, columns("taken"))
    rows.insert(5, columns("unstorable", text="\ud800"))
    results = await asyncio.gather(*map(records.append, rows), return_exceptions=True)
    failures = {rows[at]["id"]: result for at, result in enumerate(results) if result is not None}
    assert set(failures) == {"taken", "unstorable"}
    assert isinstance(failures["taken"], Conflict)
    assert len(stored(database)) == 21


async def test_a_full_disk_fails_the_callers_and_the_writer_goes_on(
    database: Database, records: Records
) -> None:
    full = True

    def refuse(*args: object) -> None:
        if full:
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    event.listen(database.engine, "before_cursor_execute", refuse)
    results = await asyncio.gather(
        *(records.append(columns(f"r{number}")) for number in range(5)), return_exceptions=True
    )
    assert all(isinstance(result, Unavailable) for result in results)
    assert "database or disk is full" in str(results[0])
    full = False
    await records.append(columns("later"))
    assert stored(database) == {"later"}


async def test_a_real_full_database_is_reported_too(database: Database, records: Records) -> None:
    def limit(connection: object, *_: object) -> None:
        connection.execute("PRAGMA max_page_count=60")  # type: ignore[attr-defined]

    database.engine.dispose()
    event.listen(database.engine, "connect", limit)
    with pytest.raises(Unavailable, match="database or disk is full"):
        await records.append(columns("big", text="x" * 1_000_000))
    await records.append(columns("small"))
    assert stored(database) == {"small"}


async def test_what_goes_with_a_row_commits_with_it(database: Database, records: Records) -> None:
    def also(session: Session) -> None:
        session.add(
            ConversationRow(
                id="conv_1", title="", attributes={}, key_id=None, created_at=0, updated_at=0
            )
        )

    def fail(session: Session) -> None:
        session.execute(select(func.count(RecordRow.id)))
        raise ValueError("no such conversation")

    await records.append(columns("r1"), also)
    with pytest.raises(ValueError, match="no such conversation"):
        await records.append(columns("r2"), fail)
    assert stored(database) == {"r1"}
    with database.session() as session:
        assert session.get(ConversationRow, "conv_1") is not None


async def test_a_caller_who_leaves_does_not_take_the_row_back(
    database: Database, records: Records
) -> None:
    waiting = asyncio.create_task(records.append(columns("left")))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await records.append(columns("after"))
    assert stored(database) == {"left", "after"}


async def test_more_callers_than_room_wait_their_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.records.commits._MAX_WAITING", 4)
    writer = GroupCommit(database)
    await writer.start()
    await asyncio.gather(*(writer.append(columns(f"r{number}")) for number in range(40)))
    await writer.stop()
    assert len(stored(database)) == 40


async def test_huge_values_are_kept_whole(database: Database, records: Records) -> None:
    text = "ä" * 5_000_000
    await records.append(columns("huge", text=text))
    with database.session() as session:
        kept = session.get_one(RecordRow, "huge")
    assert kept.request["messages"][0]["content"] == text


async def test_two_writers_on_one_database(database: Database, records: Records) -> None:
    other = Records(Database(database.url))
    await other.start()
    await asyncio.gather(
        *(records.append(columns(f"a{number}")) for number in range(200)),
        *(other.append(columns(f"b{number}")) for number in range(200)),
    )
    await other.stop()
    assert len(stored(database)) == 400


CRASHING = """
import asyncio, os, sys
sys.path.insert(0, sys.argv[2])
from headstart.records.records import Records
from headstart.storage.database import Database
from tests.records.samples import columns

async def one(records, number):
    await records.append(columns(f"r{number}"))
    os.write(1, f"r{number}\\n".encode())  # only now is it acknowledged

async def main():
    database = Database(sys.argv[1])
    database.migrate()
    records = Records(database)
    await records.start()
    for start in range(0, 100_000, 8):
        await asyncio.gather(*(one(records, start + offset) for offset in range(8)))

asyncio.run(main())
"""


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'crash.db'}"
    with subprocess.Popen(
        [sys.executable, "-c", CRASHING, url, str(Path(__file__).parents[2])],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(300)]
        process.kill()
        acknowledged += process.stdout.read().split()
    database = Database(url)
    assert set(acknowledged) <= stored(database)
    database.close()
