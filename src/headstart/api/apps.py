"""`/v1/apps`: the apps that there are. What one says is changed in `headstart.toml`, not here."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from headstart.api.deps import AdminPrincipal, CurrentPrincipal, CurrentServices
from headstart.apps.apps import AppVersion

router = APIRouter(tags=["apps"])


class AppBody(BaseModel):
    object: Literal["app"] = "app"
    name: str
    version: int
    endpoint: str
    knowledge: list[str]
    reasoning: str
    instructions: str
    description: str
    created_at: int

    @classmethod
    def of(cls, version: AppVersion) -> AppBody:
        spec = version.spec
        return cls(
            name=version.name,
            version=version.number,
            endpoint=spec.endpoint,
            knowledge=spec.knowledge,
            reasoning=spec.reasoning,
            instructions=spec.instructions,
            description=spec.description,
            created_at=version.created_at,
        )


class AppList(BaseModel):
    object: Literal["list"] = "list"
    data: list[AppBody]
    first_id: str | None
    last_id: str | None
    has_more: bool = False


class AppDeleted(BaseModel):
    name: str
    object: Literal["app.deleted"] = "app.deleted"
    deleted: Literal[True] = True


@router.get("/v1/apps", response_model=AppList)
def list_apps(_principal: CurrentPrincipal, services: CurrentServices) -> AppList:
    """Every app, by name."""
    data = [AppBody.of(version) for version in services.apps.list()]
    names = [app.name for app in data]
    return AppList(
        data=data,
        first_id=names[0] if names else None,
        last_id=names[-1] if names else None,
    )


@router.get("/v1/apps/{name}", response_model=AppBody)
def get_app(name: str, _principal: CurrentPrincipal, services: CurrentServices) -> AppBody:
    return AppBody.of(services.apps.get(name))


@router.delete("/v1/apps/{name}", response_model=AppDeleted)
def delete_app(name: str, _principal: AdminPrincipal, services: CurrentServices) -> AppDeleted:
    """Let the name answer no longer. Records keep the versions that they name."""
    services.apps.remove(name)
    return AppDeleted(name=name)
