from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headstart.security.keys import Keys
from headstart.storage.database import Database


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{home / 'headstart.db'}")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def keys(database: Database) -> Iterator[Keys]:
    keys = Keys(database)
    yield keys
    keys.close()
