"""Signing in: the link that `headstart up` prints, or a key; a cookie from then on."""

from __future__ import annotations

from typing import Literal

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from headstart.api.deps import SESSION_COOKIE, CurrentPrincipal, CurrentServices
from headstart.errors import Unauthenticated
from headstart.security.principal import Principal
from headstart.security.sessions import SESSION_S

router = APIRouter(tags=["session"])
log = structlog.get_logger()


class SignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: str = Field(max_length=1000, description="An API key.")


class Session(BaseModel):
    """Who is signed in."""

    object: Literal["session"] = "session"
    name: str
    role: str


class SessionDeleted(BaseModel):
    object: Literal["session.deleted"] = "session.deleted"
    deleted: Literal[True] = True


@router.get("/sign-in", include_in_schema=False)
def open_sign_in_link(request: Request, services: CurrentServices, token: str = "") -> Response:
    """Redeem a one-time link. One that was used before still leads in whoever is signed in."""
    try:
        cookie = services.sessions.redeem(token)
    except Unauthenticated as error:
        log.info("sign-in link refused", reason=error.code)
        # The console tells a stranger that the link is spent, and how else to sign in.
        return RedirectResponse("/?link=spent", 303, {"Cache-Control": "no-store"})
    response = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
    _set_cookie(request, response, cookie)
    return response


@router.post("/v1/session")
def sign_in(
    body: SignIn, request: Request, response: Response, services: CurrentServices
) -> Session:
    """Sign this browser in with a key."""
    principal = services.keys.authenticate(body.key.strip())
    _set_cookie(request, response, services.sessions.open(principal))
    return _view(principal)


@router.get("/v1/session")
def get_session(principal: CurrentPrincipal) -> Session:
    return _view(principal)


@router.delete("/v1/session")
def sign_out(
    request: Request, response: Response, _principal: CurrentPrincipal, services: CurrentServices
) -> SessionDeleted:
    services.sessions.sign_out(request.cookies.get(SESSION_COOKIE, ""))
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return SessionDeleted()


def _view(principal: Principal) -> Session:
    return Session(name=principal.name, role=principal.role.value)


def _set_cookie(request: Request, response: Response, cookie: str) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        cookie,
        max_age=SESSION_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
