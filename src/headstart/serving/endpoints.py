"""`Endpoints`: which models are deployed, kept in the database, made so and kept so."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import structlog
from sqlalchemy import delete, select

from headstart.errors import BadRequest, Conflict, NotFound, Unavailable
from headstart.hub.hub import Hub, split_variant
from headstart.hub.sources.base import source_type
from headstart.runtime.base import Runtime
from headstart.serving.base import Endpoint
from headstart.serving.deployment import Deployment, Means
from headstart.serving.echo import is_echo
from headstart.serving.engines.base import Engine
from headstart.serving.engines.select import AUTO, load_engines
from headstart.serving.replica import Patience
from headstart.serving.room import refuse_without_room
from headstart.serving.status import EndpointStatus, State
from headstart.serving.supervisor import Policy
from headstart.serving.worker_client import new_session
from headstart.settings import Settings
from headstart.storage.database import Database
from headstart.storage.tables import EndpointRow

log = structlog.get_logger(__name__)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Endpoints:
    """The deployed models of this server. All `async` methods belong to its event loop."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        runtime: Runtime,
        settings: Settings,
        *,
        engines: Mapping[str, Engine] | None = None,
        policy: Policy | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._database = database
        self._hub = hub
        self._runtime = runtime
        self._settings = settings
        self._engines = load_engines() if engines is None else engines
        self._policy = policy or Policy()
        self._patience = patience or Patience()
        self._deployments: dict[str, Deployment] = {}
        self._changing = asyncio.Lock()
        self._started: Means | None = None

    async def start(self) -> None:
        """End what a killed server left, and bring up every endpoint of the database."""
        await self._runtime.end_orphans()
        self._started = Means(
            hub=self._hub,
            runtime=self._runtime,
            http=new_session(),
            engines=self._engines,
            logs=self._settings.logs,
            policy=self._policy,
            patience=self._patience,
        )
        for row in await asyncio.to_thread(self._rows):
            self._deployments[row.name] = Deployment(row, self._started)

    async def stop(self) -> None:
        """End all workers. The rows stay: the next start brings the endpoints up again."""
        async with self._changing:
            await asyncio.gather(*(each.stop() for each in self._deployments.values()))
            self._deployments.clear()
            if self._started is not None:
                await self._started.http.close()
                self._started = None

    async def deploy(
        self,
        model: str,
        *,
        name: str | None = None,
        engine: str = AUTO,
        idle_timeout: float | None = None,
        options: dict[str, Any] | None = None,
    ) -> EndpointStatus:
        """Make a model callable under a name. Returns at once; the model is fetched behind it.

        The same deployment again changes nothing, except that a failed one is tried again at once.
        Raises `NotFound` for a model that nobody knows, `Conflict` when the name serves something
        else, `BadRequest` when it cannot fit.
        """
        row = EndpointRow(
            id=f"ep_{secrets.token_hex(12)}",
            name=_checked_name(name or default_name(model)),
            model=model,
            engine=self._checked_engine(engine),
            idle_timeout=idle_timeout,
            options=_checked_options(options or {}),
            created_at=int(time.time()),
        )
        async with self._changing:
            if self._started is None:
                raise Unavailable("The server is stopping.")
            existing = self._deployments.get(row.name)
            if existing is not None:
                _refuse_unless_same(existing, row)
                existing.retry()
                return existing.status()
            await asyncio.to_thread(self._insert, row)
            deployment = self._deployments[row.name] = Deployment(row, self._started)
        log.info("deployed", endpoint=row.name, model=model, engine=engine)
        return deployment.status()

    async def delete(self, name_or_id: str) -> None:
        """Forget an endpoint, let its calls end, and end its worker."""
        deployment = self._find(name_or_id)
        await asyncio.to_thread(
            self._remove, deployment.row.id
        )  # first: a crash must not revive it
        await deployment.stop()
        if self._deployments.pop(deployment.row.name, None) is not None:
            deployment.forget()
            log.info("deleted", endpoint=deployment.row.name)

    def statuses(self) -> list[EndpointStatus]:
        return [deployment.status() for deployment in list(self._deployments.values())]

    def status(self, name_or_id: str) -> EndpointStatus:
        return self._find(name_or_id).status()

    async def wait_ready(self, name: str, timeout: float) -> EndpointStatus:  # noqa: ASYNC109
        """Wait until it can answer. Raises `Unavailable` when it fails or takes longer."""
        deployment = self._find(name)
        await deployment.settled(timeout)
        status = deployment.status()
        if status.status in (State.READY, State.IDLE):
            return status
        if status.status is State.FAILED:
            raise Unavailable(f"'{name}' is not running: {status.error}")
        raise Unavailable(f"'{name}' is still {status.status.value} after {timeout:.0f} s")

    def resolve(self, name: str) -> Endpoint | None:
        deployment = self._deployments.get(name)
        return deployment.endpoint if deployment else None

    def logs(self, name: str, lines: int = 200) -> str:
        return self._find(name).log.tail(lines)

    def logs_tail(self, name: str, lines: int) -> tuple[str, int]:
        """The last lines, and the offset to go on from."""
        worker_log = self._find(name).log
        end = worker_log.size
        return worker_log.tail(lines), end

    def logs_after(self, name: str, offset: int) -> tuple[str, int]:
        """What its workers have printed since byte `offset`, and the offset to go on from."""
        return self._find(name).log.after(offset)

    def _find(self, name_or_id: str) -> Deployment:
        deployment = self._deployments.get(name_or_id)
        if deployment is None:
            by_id = (each for each in self._deployments.values() if each.row.id == name_or_id)
            deployment = next(by_id, None)
        if deployment is None:
            names = ", ".join(f"'{name}'" for name in sorted(self._deployments)) or "none"
            raise NotFound(
                f"No endpoint '{name_or_id}'; there are: {names}. "
                "'headstart deploy MODEL' makes one.",
                param="name",
                code="endpoint_not_found",
            )
        return deployment

    def _checked_engine(self, engine: str) -> str:
        if engine != AUTO and engine not in self._engines:
            known = ", ".join([AUTO, *sorted(self._engines)])
            raise BadRequest(f"no engine '{engine}'; there are: {known}", param="engine")
        return engine

    def _rows(self) -> list[EndpointRow]:
        with self._database.session() as session:
            return list(session.scalars(select(EndpointRow).order_by(EndpointRow.created_at)))

    def _insert(self, row: EndpointRow) -> None:
        if not is_echo(row.model, row.engine):
            installed = self._is_here(row.model)
            refuse_without_room(self._hub, row.model, row.engine, row.options, installed=installed)
        with self._database.session() as session:
            session.add(row)

    def _remove(self, id: str) -> None:
        with self._database.session() as session:
            session.execute(delete(EndpointRow).where(EndpointRow.id == id))

    def _is_here(self, model: str) -> bool:
        """Whether the model needs no fetching. Raises `NotFound` when it cannot be fetched."""
        try:
            self._hub.resolve(model)
        except NotFound:
            if source_type(model.partition(":")[0]) is None and not Path(model).exists():
                base, variant = split_variant(model)
                self._hub.catalogue.variant(self._hub.catalogue.card(base), variant)
            return False
        return True


def default_name(model: str) -> str:
    """The name an endpoint gets from its model: "hf:org/Repo/file.gguf@main" → "file"."""
    path = model.removeprefix("hf:").partition("@")[0].rstrip("/")
    last = PurePath(path).name
    stem = last[: -len(".gguf")] if last.lower().endswith(".gguf") else last
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:64] or "model"


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadRequest(
            f"'{name}' cannot name an endpoint: use 1 to 64 letters, digits, '.', '_' and '-', "
            "beginning with a letter or digit",
            param="name",
        )
    return name


def _checked_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options that are read here; an engine checks its own."""
    kinds = {"threads": int, "variant": str, "force": bool}
    for name, kind in kinds.items():
        if name in options and type(options[name]) is not kind:
            raise BadRequest(
                f"option '{name}' is {options[name]!r}; it takes a value of type {kind.__name__}",
                param=f"options.{name}",
            )
    if options.get("threads", 1) < 1:
        raise BadRequest("option 'threads' is below 1", param="options.threads")
    return options


def _refuse_unless_same(existing: Deployment, wanted: EndpointRow) -> None:
    row = existing.row
    if existing.stopping:
        raise Conflict(f"'{row.name}' is being deleted; try again in a moment", param="name")
    differences = [
        f"{field} is {getattr(row, field)!r}, not {getattr(wanted, field)!r}"
        for field in ("model", "engine", "idle_timeout", "options")
        if getattr(row, field) != getattr(wanted, field)
    ]
    if differences:
        raise Conflict(
            f"The endpoint '{row.name}' exists and differs: {'; '.join(differences)}. Delete it "
            f"with 'headstart endpoints delete {row.name}', or deploy under another name.",
            param="name",
            code="endpoint_exists",
        )
