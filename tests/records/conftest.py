from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from headstart.records.records import Records
from headstart.storage.database import Database


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{home / 'headstart.db'}")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
async def records(database: Database) -> AsyncIterator[Records]:
    records = Records(database)
    await records.start()
    yield records
    await records.stop()
