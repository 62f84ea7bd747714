"""An engine whose workers run `fake_worker.py`, and an endpoint service over it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import psutil

from headstart.hub.hub import Hub
from headstart.hub.stored import StoredModel
from headstart.runtime.local import LocalRuntime
from headstart.security.principal import Principal, Role
from headstart.serving.base import Call, Endpoint
from headstart.serving.endpoints import Endpoints
from headstart.serving.engines.base import Engine, Launch
from headstart.serving.replica import Patience
from headstart.serving.requests import ChatRequest
from headstart.serving.supervisor import Policy
from headstart.settings import load
from headstart.storage.database import Database
from headstart.storage.tables import Table

WORKER = Path(__file__).with_name("fake_worker.py")
QUICK = Policy(first_pause=0.01, longest_pause=0.05, drain=10, call_wait=60, health_every=0.05)
PATIENT = Patience(start=60, health=5, terminate=5)


class FakeEngine(Engine):
    """Starts `fake_worker.py` with whatever arguments the test sets, when it sets them."""

    name: ClassVar[str] = "fake"

    def __init__(self, *arguments: str, refuses: frozenset[str] = frozenset()) -> None:
        self.arguments = list(arguments)
        self.refuses = refuses
        self.launches: list[Launch] = []
        self.ports: list[int] = []  # taken before a free one is

    def refusal(self, model: StoredModel) -> str | None:
        return None

    def command(self, launch: Launch) -> list[str]:
        self.launches.append(launch)
        port = self.ports.pop(0) if self.ports else launch.port
        return [sys.executable, str(WORKER), str(port), *self.arguments]

    @property
    def unsupported(self) -> frozenset[str]:
        return self.refuses


class OtherEngine(FakeEngine):
    name: ClassVar[str] = "other"


@asynccontextmanager
async def serving(
    home: Path,
    engines: Mapping[str, Engine] | None = None,
    *,
    policy: Policy = QUICK,
    patience: Patience = PATIENT,
    hub: Hub | None = None,
) -> AsyncIterator[Endpoints]:
    """The endpoint service of a home, with its database, stopped at the end."""
    settings = load(home=home)
    database = Database(settings.sql_url)
    Table.metadata.create_all(database.engine)
    endpoints = Endpoints(
        database,
        hub or Hub(settings),
        LocalRuntime(home / "processes"),
        settings,
        engines={"fake": FakeEngine()} if engines is None else engines,
        policy=policy,
        patience=patience,
    )
    await endpoints.start()
    try:
        yield endpoints
    finally:
        await endpoints.stop()
        database.close()


def call() -> Call:
    return Call(id="chatcmpl-1", principal=Principal("key_1", "test", Role.ADMIN))


def ask(text: Any, **more: Any) -> ChatRequest:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **more}
    return ChatRequest.model_validate(body)


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


def resolved(endpoints: Endpoints, name: str) -> Endpoint:
    endpoint = endpoints.resolve(name)
    assert endpoint is not None
    return endpoint


def running(pid: int | None) -> bool:
    assert pid is not None
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def hello(endpoints: Endpoints, name: str) -> str | None:
    answer = await resolved(endpoints, name).answer(call(), ask("hi"))
    return answer.choices[0].message.content
