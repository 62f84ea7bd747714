"""Some routers over real layers and a temporary database, without workers or the web."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from headstart.api import errors
from headstart.conversations.conversations import Conversations
from headstart.records.feedback import FeedbackStore
from headstart.records.records import Records
from headstart.security.keys import Keys
from headstart.security.principal import Role
from headstart.security.sessions import BrowserSessions
from headstart.settings import load
from headstart.storage.database import Database

URL = "http://127.0.0.1:8080"


@dataclass
class Backend:
    """The application, what it stands on, and callers to use it as."""

    app: FastAPI
    database: Database
    keys: Keys
    sessions: BrowserSessions
    conversations: Conversations
    admin_key: str

    def client(self, key: str | None = None) -> TestClient:
        """A program that presents `key`; without one, a stranger."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return TestClient(self.app, base_url=URL, headers=headers, follow_redirects=False)

    def admin(self) -> TestClient:
        return self.client(self.admin_key)

    def member(self, name: str) -> TestClient:
        return self.client(self.keys.create(name, Role.MEMBER)[1])

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self.database.session() as session:
            yield session


@contextmanager
def backend(home: Path, *routers: APIRouter) -> Iterator[Backend]:
    database = Database(f"sqlite:///{home / 'headstart.db'}")
    database.migrate()
    keys = Keys(database)
    sessions = BrowserSessions(database, keys)
    conversations = Conversations(database)
    admin_key = keys.ensure_admin(load())
    assert admin_key is not None
    app = FastAPI()
    errors.install(app)
    for router in routers:
        app.include_router(router)
    app.state.services = SimpleNamespace(
        database=database,
        keys=keys,
        sessions=sessions,
        records=Records(database),
        feedback=FeedbackStore(database),
        conversations=conversations,
    )
    yield Backend(app, database, keys, sessions, conversations, admin_key)
    keys.close()
    database.close()
