"""The database: units of work, SQLite's settings, several writers at once."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from headstart.storage.database import Database
from headstart.storage.tables import ConversationRow


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'home' / 'headstart.db'}")
    database.migrate()
    return database


def conversation(id: str) -> ConversationRow:
    return ConversationRow(id=id, title="", attributes={}, key_id=None, created_at=0, updated_at=0)


def test_a_block_that_raises_is_rolled_back(database: Database) -> None:
    def fail_midway() -> None:
        with database.session() as session:
            session.add(conversation("conv_1"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_midway()
    with database.session() as session:
        assert session.get(ConversationRow, "conv_1") is None


def test_rows_outlive_their_session(database: Database) -> None:
    with database.session() as session:
        row = conversation("conv_1")
        session.add(row)
    assert row.id == "conv_1"


def test_sqlite_is_durable_and_checks_references(database: Database) -> None:
    with database.engine.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_home_that_it_makes_is_the_owners_alone(database: Database, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_threads_that_read_then_write_do_not_lock_each_other_out(database: Database) -> None:
    with database.session() as session:
        session.add_all(conversation(f"conv_{number}") for number in range(4))
    errors: list[Exception] = []

    def work(number: int) -> None:
        try:
            for _ in range(25):
                with database.session() as session:
                    session.execute(select(func.count(ConversationRow.id))).scalar_one()
                    session.execute(
                        update(ConversationRow)
                        .where(ConversationRow.id == f"conv_{number}")
                        .values(created_at=ConversationRow.created_at + 1)
                    )
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.session() as session:
        assert session.scalars(select(ConversationRow.created_at)).all() == [25] * 4
