"""`/v1/endpoints`: deploy models, see what they are doing, read their logs, delete them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from headstart.api.deps import AdminPrincipal, CurrentPrincipal, CurrentServices
from headstart.serving.engines.select import AUTO
from headstart.serving.status import EndpointStatus

router = APIRouter(tags=["endpoints"])

Limit = Annotated[int, Query(ge=1, le=1000)]


class EndpointCreate(BaseModel):
    """What to deploy. The same again changes nothing."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1, description="A model of the hub, 'hf:org/repo', or a path.")
    name: str | None = Field(None, description="The model name in API calls; default: the model's.")
    engine: str = Field(AUTO, description="An engine, or 'auto': the fastest that loads the model.")
    idle_timeout: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Stop after so many seconds without a call."
    )
    options: dict[str, Any] = Field(
        {}, description="'force', 'variant', 'threads', and what the engine knows."
    )


class EndpointList(BaseModel):
    object: Literal["list"] = "list"
    data: list[EndpointStatus]
    first_id: str | None
    last_id: str | None
    has_more: bool


class EndpointDeleted(BaseModel):
    id: str
    object: Literal["endpoint.deleted"] = "endpoint.deleted"
    deleted: Literal[True] = True


class EndpointLogs(BaseModel):
    """The end of an endpoint's log, or with `after` what has come since."""

    object: Literal["endpoint.logs"] = "endpoint.logs"
    text: str
    next: int = Field(description="Pass as `after` to get what comes next.")


@router.get("/v1/endpoints")
def list_endpoints(
    _principal: CurrentPrincipal,
    services: CurrentServices,
    limit: Limit = 100,
    after: str | None = None,
) -> EndpointList:
    """Every endpoint, oldest first."""
    statuses = sorted(services.endpoints.statuses(), key=lambda each: (each.created_at, each.id))
    ids = [status.id for status in statuses]
    start = ids.index(after) + 1 if after in ids else 0
    page = statuses[start : start + limit]
    return EndpointList(
        data=page,
        first_id=page[0].id if page else None,
        last_id=page[-1].id if page else None,
        has_more=start + limit < len(statuses),
    )


@router.post("/v1/endpoints")
async def create_endpoint(
    body: EndpointCreate, _principal: AdminPrincipal, services: CurrentServices
) -> EndpointStatus:
    """Deploy a model. Answers at once; its `status` tells when it is ready."""
    return await services.endpoints.deploy(
        body.model,
        name=body.name,
        engine=body.engine,
        idle_timeout=body.idle_timeout,
        options=body.options,
    )


@router.get("/v1/endpoints/{name_or_id}")
def get_endpoint(
    name_or_id: str, _principal: CurrentPrincipal, services: CurrentServices
) -> EndpointStatus:
    return services.endpoints.status(name_or_id)


@router.delete("/v1/endpoints/{name_or_id}")
async def delete_endpoint(
    name_or_id: str, _principal: AdminPrincipal, services: CurrentServices
) -> EndpointDeleted:
    """Take no more calls, let those in flight end, stop the worker, and forget the endpoint."""
    status = services.endpoints.status(name_or_id)
    await services.endpoints.delete(status.id)
    return EndpointDeleted(id=status.id)


@router.get("/v1/endpoints/{name_or_id}/logs")
def get_endpoint_logs(
    name_or_id: str,
    _principal: AdminPrincipal,
    services: CurrentServices,
    lines: Annotated[int, Query(ge=1, le=100_000)] = 200,
    after: Annotated[int | None, Query(ge=0)] = None,
) -> EndpointLogs:
    """What its workers printed. Prompts may be among it, so this is for admins."""
    if after is None:
        text, position = services.endpoints.logs_tail(name_or_id, lines)
    else:
        text, position = services.endpoints.logs_after(name_or_id, after)
    return EndpointLogs(text=text, next=position)
