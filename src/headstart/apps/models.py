"""Every callable name: apps and endpoints in one namespace, each call recorded.

The record is made by the outermost wrapper, so one call leaves one record, whatever it passes
through on its way down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headstart.apps.apps import Apps, AppVersion
from headstart.apps.problems import did_you_mean
from headstart.conversations.conversations import Conversations
from headstart.errors import NotFound
from headstart.hub.cards import Task
from headstart.records.recorded import Recorded
from headstart.records.records import Records
from headstart.serving.base import Endpoint
from headstart.serving.endpoints import Endpoints
from headstart.serving.status import EndpointStatus
from headstart.settings import Settings


@dataclass(frozen=True, slots=True)
class Callable:
    """What a caller may want to know of a name before calling it."""

    name: str
    kind: Literal["app", "endpoint"]
    task: str
    status: str
    context_length: int | None
    description: str
    created_at: int


class Models:
    """Finds who answers to a model name."""

    def __init__(
        self,
        apps: Apps,
        endpoints: Endpoints,
        records: Records,
        conversations: Conversations,
        settings: Settings,
    ) -> None:
        self._apps = apps
        self._endpoints = endpoints
        self._records = records
        self._conversations = conversations
        self._settings = settings

    def resolve(self, name: str) -> Endpoint:
        """The app or endpoint of this name, recording what it answers."""
        answering = self._apps.resolve(name) or self._endpoints.resolve(name)
        if answering is None:
            raise self._unknown(name)
        return Recorded(answering, self._records, self._conversations, self._settings.record)

    def list(self) -> list[Callable]:
        """Apps first: they are what people mostly want."""
        apps = [self._app(version) for version in self._apps.list()]
        taken = {app.name for app in apps}
        endpoints = [_endpoint(status) for status in self._endpoints.statuses()]
        return apps + [each for each in endpoints if each.name not in taken]

    def describe(self, name: str) -> Callable:
        for each in self.list():
            if each.name == name:
                return each
        raise self._unknown(name)

    def _app(self, version: AppVersion) -> Callable:
        statuses = {status.name: status for status in self._endpoints.statuses()}
        endpoint = statuses.get(version.spec.endpoint)
        return Callable(
            name=version.name,
            kind="app",
            task=Task.CHAT,
            status=endpoint.status if endpoint else "failed",
            context_length=endpoint.context_length if endpoint else None,
            description=version.spec.description,
            created_at=version.created_at,
        )

    def _unknown(self, name: str) -> NotFound:
        known = [each.name for each in self.list()]
        return NotFound(
            f"No model '{name}' is deployed{did_you_mean(name, known)}. 'GET /v1/models' lists "
            "what is; 'headstart deploy MODEL' deploys one from the hub.",
            param="model",
            code="model_not_found",
        )


def _endpoint(status: EndpointStatus) -> Callable:
    return Callable(
        name=status.name,
        kind="endpoint",
        task=status.task or Task.CHAT,
        status=status.status,
        context_length=status.context_length,
        description=status.model,
        created_at=status.created_at,
    )
