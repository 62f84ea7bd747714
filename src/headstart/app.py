"""The composition root: every object is made here, by ordinary constructor calls, and `serve` runs.

Order matters twice: services start from storage upwards and stop in reverse, and the socket is
bound before anything slow happens, so that a taken port is an error at once.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import structlog
import uvicorn

from headstart.api.application import create_api
from headstart.api.services import Services
from headstart.apps.apps import Apps
from headstart.apps.declaration import Declaration
from headstart.apps.models import Models
from headstart.apps.reconcile import Step, reconcile
from headstart.apps.startup import Startup
from headstart.conversations.conversations import Conversations
from headstart.errors import Conflict
from headstart.hub.hub import Hub
from headstart.knowledge.files import Files
from headstart.knowledge.knowledge import Knowledge
from headstart.knowledge.stores import VectorStores
from headstart.records.feedback import FeedbackStore
from headstart.records.records import Records
from headstart.runtime.local import LocalRuntime
from headstart.security.keys import Keys
from headstart.security.sessions import BrowserSessions
from headstart.serving.endpoints import Endpoints
from headstart.settings import Settings
from headstart.storage.database import Database
from headstart.storage.jobs import Jobs
from headstart.storage.lock import HomeLock
from headstart.storage.objects import Objects

log = structlog.get_logger(__name__)

_DRAIN_SECONDS = 5  # that open connections get when the server stops


@dataclass(frozen=True, slots=True)
class Started:
    """What the person who started the server wants to see first."""

    address: str
    sign_in_link: str
    new_admin_key: str | None  # shown once, at the first start


async def serve(
    settings: Settings,
    declaration: Declaration,
    started: Callable[[Started], None],
    report: Callable[[Step], None],
    settled: Callable[[list[Step]], None],
) -> None:
    """Run the server until it is told to stop (SIGINT, SIGTERM).

    `started` is called once it answers requests, `report` with each step of bringing up what is
    declared, `settled` when all of that is over.
    """
    with HomeLock(settings.home) as lock, _listening(settings) as sock:
        database = Database(settings.sql_url)
        database.migrate()
        jobs = Jobs.beside(settings.home, settings.database_url)
        services = build(settings, database, jobs)
        new_admin_key = services.keys.ensure_admin(settings)
        address = _address(settings, sock)
        server = _Server(_uvicorn_config(settings, services))
        async with _running(services, jobs):
            _spare_what_stays()
            sock.listen()  # whoever reads the address below may connect at once
            serving = asyncio.create_task(server.serve(sockets=[sock]))
            _stop_on_signals(server)
            lock.publish(address)
            link = f"{address}/sign-in?token={services.sessions.one_time_link()}"
            started(Started(address, link, new_admin_key))
            bringing_up = asyncio.create_task(_bring_up(services, declaration, report, settled))
            await serving
            bringing_up.cancel()
            await asyncio.gather(bringing_up, return_exceptions=True)


def build(settings: Settings, database: Database, jobs: Jobs) -> Services:
    """Every layer's object, from the ground up. Nothing runs yet."""
    keys = Keys(database)
    hub = Hub(settings)
    runtime = LocalRuntime(settings.home / "processes")
    endpoints = Endpoints(database, hub, runtime, settings)
    files = Files(database, Objects(settings.objects), settings.max_upload_bytes)
    stores = VectorStores(database)
    knowledge = Knowledge(files, stores, jobs, endpoints.resolve, settings)
    records = Records(database)
    conversations = Conversations(database)
    apps = Apps(database, endpoints, knowledge)
    return Services(
        settings=settings,
        database=database,
        keys=keys,
        sessions=BrowserSessions(database, keys),
        hub=hub,
        endpoints=endpoints,
        files=files,
        stores=stores,
        knowledge=knowledge,
        records=records,
        feedback=FeedbackStore(database),
        conversations=conversations,
        apps=apps,
        models=Models(apps, endpoints, records, conversations, settings),
        startup=Startup(),
    )


@asynccontextmanager
async def _running(services: Services, jobs: Jobs) -> AsyncIterator[None]:
    await services.records.start()
    try:
        await services.endpoints.start()
        await jobs.start()
        await services.knowledge.resume()
        yield
    finally:
        await jobs.stop()
        await services.endpoints.stop()
        await services.records.stop()
        services.keys.close()
        services.database.close()


async def _bring_up(
    services: Services,
    declaration: Declaration,
    report: Callable[[Step], None],
    settled: Callable[[list[Step]], None],
) -> None:
    startup = services.startup

    def heard(step: Step) -> None:
        startup.report(step)
        report(step)

    try:
        steps = await reconcile(
            declaration, services.endpoints, services.knowledge, services.apps, heard
        )
        settled(steps)
    except Exception:
        log.exception("bringing up what headstart.toml declares failed")
    finally:
        startup.is_over = True


def _spare_what_stays() -> None:
    """Let the garbage collector skip what was loaded at the start: 285,000 objects, which no call
    makes garbage and which a full collection walks while every stream stands still."""
    gc.collect()
    gc.freeze()


class _Server(uvicorn.Server):
    """Uvicorn, with our own signal handling: it must not re-raise what made it stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _stop_on_signals(server: uvicorn.Server) -> None:
    def stop() -> None:
        server.force_exit = server.should_exit  # the second time, do not wait for clients
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def _uvicorn_config(settings: Settings, services: Services) -> uvicorn.Config:
    api = create_api()
    api.state.services = services
    return uvicorn.Config(
        api,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """The server's socket, bound; or who cannot have it, and why."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((settings.host, settings.port))
        except OSError as error:
            raise Conflict(
                f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
                f"Take another port: --port {settings.port + 1}."
            ) from error
        yield sock


def _address(settings: Settings, sock: socket.socket) -> str:
    """The URL under which people reach the server."""
    scheme = "https" if settings.tls_certificate else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{sock.getsockname()[1]}"
