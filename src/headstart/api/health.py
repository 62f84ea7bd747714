"""`/health/live`, `/health/ready` (no key) and `/metrics`."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from headstart import __version__
from headstart.api.deps import CurrentPrincipal, CurrentServices

router = APIRouter(tags=["health"])


class Live(BaseModel):
    status: Literal["ok"] = "ok"
    version: str = __version__


class Ready(BaseModel):
    """Ready when what was declared is there and every endpoint can answer (idle ones start)."""

    status: Literal["ready", "starting"]
    endpoints: dict[str, str]


@router.get("/health/live", response_model=Live)
async def live() -> Live:
    return Live()


@router.get("/health/ready", response_model=Ready, responses={503: {"model": Ready}})
def ready(response: Response, services: CurrentServices) -> Ready:
    endpoints = {status.name: str(status.status) for status in services.endpoints.statuses()}
    can_answer = all(status in ("ready", "idle") for status in endpoints.values())
    is_ready = services.startup.is_over and can_answer
    if not is_ready:
        response.status_code = 503
    return Ready(status="ready" if is_ready else "starting", endpoints=endpoints)


@router.get("/metrics", response_class=Response)
def metrics(_principal: CurrentPrincipal) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
