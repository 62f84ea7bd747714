"""`Direct`: the class of the routes that programs call thousands of times a second.

FastAPI describes such a route like any other, but works out its dependencies anew for each request
and validates its body through a dict. Here the three things that these handlers ask for are simply
handed to them: the body, read from its bytes at once; the caller; the services.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from headstart.api.deps import authenticated
from headstart.api.services import Services


class Direct(APIRoute):
    """A route whose handler takes `(request, body, principal, services)` and gives a response."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler, field = self.endpoint, self.body_field
        if field is None:
            raise TypeError(f"{self.path}: a direct route takes a body")
        model = cast(type[BaseModel], field.field_info.annotation)

        async def handle(request: Request) -> Response:
            services = cast(Services, request.app.state.services)
            principal = authenticated(request, services)
            body = _validated(model, await request.body())
            return cast(Response, await handler(request, body, principal, services))

        return handle


def _validated(model: type[BaseModel], content: bytes) -> BaseModel:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        problems = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(problems) from error
