"""`/health/live`, `/health/ready` (no key) and `/metrics`."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from headstart.api.deps import CurrentPrincipal, CurrentServices

router = APIRouter(tags=["health"])


class Live(BaseModel):
    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Ready when every endpoint can answer: running, or stopped for idleness and startable."""

    status: Literal["ready", "starting"]
    endpoints: dict[str, str]


@router.get("/health/live", response_model=Live)
async def live() -> Live:
    return Live()


@router.get("/health/ready", response_model=Ready, responses={503: {"model": Ready}})
def ready(response: Response, services: CurrentServices) -> Ready:
    endpoints = {status.name: status.status for status in services.endpoints.statuses()}
    is_ready = all(status in ("ready", "idle") for status in endpoints.values())
    if not is_ready:
        response.status_code = 503
    return Ready(status="ready" if is_ready else "starting", endpoints=endpoints)


@router.get("/metrics", response_class=Response)
def metrics(_principal: CurrentPrincipal) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
