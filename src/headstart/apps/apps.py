"""The apps that exist, each with its versions.

A version never changes: saying something new makes another one, saying what an earlier one said
makes that one active again. Removing an app keeps its versions, because records name them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update

from headstart.apps.app import App
from headstart.apps.problems import did_you_mean
from headstart.apps.spec import AppSpec
from headstart.errors import NotFound
from headstart.knowledge.knowledge import Knowledge
from headstart.serving.endpoints import Endpoints
from headstart.storage.database import Database
from headstart.storage.tables import AppVersionRow


@dataclass(frozen=True, slots=True)
class AppVersion:
    """One version of an app, as stored."""

    id: str
    name: str
    number: int
    spec: AppSpec
    created_at: int


class Apps:
    """Defines apps and finds them by name. Active versions are kept in memory: calls ask often."""

    def __init__(self, database: Database, endpoints: Endpoints, knowledge: Knowledge) -> None:
        self._database = database
        self._endpoints = endpoints
        self._knowledge = knowledge
        self._active: dict[str, AppVersion] | None = None

    def define(self, name: str, spec: AppSpec) -> tuple[AppVersion, bool]:
        """Make `spec` what the app says; the version, and whether anything changed."""
        current = self._versions().get(name)
        if current is not None and current.spec.digest == spec.digest:
            return current, False
        with self._database.session() as session:
            row = session.scalar(
                select(AppVersionRow).where(
                    AppVersionRow.app == name, AppVersionRow.digest == spec.digest
                )
            )
            session.execute(
                update(AppVersionRow).where(AppVersionRow.app == name).values(active=False)
            )
            if row is None:
                newest = session.scalar(
                    select(func.max(AppVersionRow.number)).where(AppVersionRow.app == name)
                )
                row = AppVersionRow(
                    id=f"appv_{secrets.token_hex(12)}",
                    app=name,
                    number=(newest or 0) + 1,
                    digest=spec.digest,
                    spec=spec.model_dump(mode="json"),
                    created_at=int(time.time()),
                )
                session.add(row)
            row.active = True
            session.flush()
            version = _version(row)
        self._active = {**self._versions(), name: version}
        return version, True

    def list(self) -> Sequence[AppVersion]:
        """The active version of every app, by name."""
        return [version for _, version in sorted(self._versions().items())]

    def get(self, name: str) -> AppVersion:
        version = self._versions().get(name)
        if version is None:
            raise NotFound(f"no app '{name}'{did_you_mean(name, self._versions())}", param="name")
        return version

    def resolve(self, name: str) -> App | None:
        """The app that answers to this model name."""
        version = self._versions().get(name)
        if version is None:
            return None
        return App(name, version.number, version.spec, self._endpoints, self._knowledge)

    def remove(self, name: str) -> None:
        """Let the name answer no longer. Its versions stay for the records that name them."""
        self.get(name)
        with self._database.session() as session:
            session.execute(
                update(AppVersionRow).where(AppVersionRow.app == name).values(active=False)
            )
        self._active = {key: app for key, app in self._versions().items() if key != name}

    def _versions(self) -> dict[str, AppVersion]:
        if self._active is None:
            with self._database.session() as session:
                rows = session.scalars(select(AppVersionRow).where(AppVersionRow.active))
                self._active = {row.app: _version(row) for row in rows}
        return self._active


def _version(row: AppVersionRow) -> AppVersion:
    return AppVersion(row.id, row.app, row.number, AppSpec.model_validate(row.spec), row.created_at)
