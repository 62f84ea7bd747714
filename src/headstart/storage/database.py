"""The relational database: SQLite (WAL) by default, PostgreSQL by URL.

Sessions are synchronous. Code on the event loop calls them through `asyncio.to_thread`, and the
one hot writer (records) batches its commits; routes that only read or write rows are plain
functions, which FastAPI runs in its thread pool.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from headstart.storage.tables import Table

BUSY_TIMEOUT_MS = 30_000


class Database:
    """A pool of connections to one database."""

    def __init__(self, url: str) -> None:
        self.url = url
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(0o700, parents=True, exist_ok=True)
        self.engine = create_engine(url, json_serializer=_to_json)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _set_sqlite_pragmas)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A unit of work: committed when the block ends, rolled back when it raises."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def migrate(self) -> None:
        """Bring the schema to the newest version, wholly or not at all. Safe to repeat."""
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "sqlite":
                # sqlite3 opens no transaction for DDL by itself: a crash would leave half a schema
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            config = migrations_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        self.engine.dispose()


def migrations_config() -> Config:
    """Alembic's configuration for the migrations that ship in the package."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["metadata"] = Table.metadata
    return config


def _to_json(value: Any) -> str:
    """Readable JSON. A lone surrogate, which no response could carry, becomes a question mark."""
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace").decode()


def _set_sqlite_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a committed record survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.close()
