"""Named dependencies: a handler's signature reads as its permission list."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from headstart.api.services import Services
from headstart.errors import Forbidden, Unauthenticated
from headstart.security.origin import same_origin
from headstart.security.principal import Principal

SESSION_COOKIE = "headstart_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def _services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


CurrentServices = Annotated[Services, Depends(_services)]


def authenticated(request: Request, services: Services) -> Principal:
    """The caller: a bearer key (programs), or the session cookie (browsers).

    A cookie travels by itself, so with one an unsafe method must come from our own pages.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret:
        return services.keys.authenticate(secret.strip())
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie is None:
        raise Unauthenticated(
            "No API key. Send 'Authorization: Bearer hs-…', or sign in with the link that "
            "'headstart up' prints. 'headstart key create' makes a key."
        )
    if request.method not in _SAFE_METHODS and not same_origin(
        request.headers.get("origin"), request.headers.get("host", "")
    ):
        raise Forbidden("This request comes from another site; sign in and retry from the console.")
    return services.sessions.resolve(cookie)


async def _principal(request: Request, services: CurrentServices) -> Principal:
    return authenticated(request, services)


CurrentPrincipal = Annotated[Principal, Depends(_principal)]


async def _admin(principal: CurrentPrincipal) -> Principal:
    if not principal.is_admin:
        raise Forbidden(f"The key '{principal.name}' may not do this; use an admin key.")
    return principal


AdminPrincipal = Annotated[Principal, Depends(_admin)]
