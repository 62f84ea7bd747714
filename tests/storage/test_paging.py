"""Keyset pages. `tests/records/test_records.py` walks through whole lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from headstart.errors import BadRequest
from headstart.storage.database import Database
from headstart.storage.paging import page
from headstart.storage.tables import ConversationRow

KEYS = (ConversationRow.created_at, ConversationRow.id)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'headstart.db'}")
    database.migrate()
    with database.session() as session:
        session.add_all(
            ConversationRow(
                id=name, title="", attributes={}, key_id=None, created_at=at, updated_at=0
            )
            for name, at in (("a", 1), ("b", 1), ("c", 0))
        )
    return database


def test_order_and_what_is_left(database: Database) -> None:
    with database.session() as session:
        query = select(ConversationRow)
        first = page(session, query, KEYS, after=None, limit=2, order="asc")
        rest = page(session, query, KEYS, after="a", limit=2, order="asc")
        last = page(session, query, KEYS, after="c", limit=2, order="desc")
    assert ([row.id for row in first.data], first.has_more) == (["c", "a"], True)
    assert ([row.id for row in rest.data], rest.has_more) == (["b"], False)
    assert (last.data, last.has_more) == ([], False)


def test_a_start_that_is_not_there_is_named(database: Database) -> None:
    with database.session() as session, pytest.raises(BadRequest, match="'x'") as caught:
        page(session, select(ConversationRow), KEYS, after="x", limit=2, order="asc")
    assert caught.value.param == "after"
