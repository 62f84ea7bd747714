from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headstart.conversations.conversations import Conversations
from headstart.storage.database import Database


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{home / 'headstart.db'}")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def conversations(database: Database) -> Conversations:
    return Conversations(database)
