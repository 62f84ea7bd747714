"""Every error leaves in OpenAI's envelope: `{"error": {"message", "type", "param", "code"}}`."""

from __future__ import annotations

from typing import Any, cast

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from headstart.errors import HeadstartError

log = structlog.get_logger()


class ClientGone(Exception):
    """The client closed the connection before the answer was complete: nobody is told."""


class ErrorBody(BaseModel):
    message: str
    type: str
    param: str | None
    code: str | None


class ErrorEnvelope(BaseModel):
    error: ErrorBody


def envelope(error: Exception) -> dict[str, Any]:
    """The error as OpenAI's body. What is not ours shows no internals."""
    if isinstance(error, HeadstartError):
        body = ErrorBody(message=error.message, type=error.type, param=error.param, code=error.code)
    else:
        body = ErrorBody(
            message="Something went wrong in the server; its log has the details.",
            type="server_error",
            param=None,
            code=None,
        )
    return ErrorEnvelope(error=body).model_dump()


def install(app: FastAPI) -> None:
    app.add_exception_handler(HeadstartError, _headstart_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(UnicodeEncodeError, _half_a_character)
    app.add_exception_handler(ClientGone, _client_gone)
    app.add_exception_handler(Exception, _unexpected)


async def _headstart_error(_request: Request, error: Exception) -> JSONResponse:
    headstart_error = cast(HeadstartError, error)
    headers = {"WWW-Authenticate": "Bearer"} if headstart_error.status == 401 else None
    return JSONResponse(envelope(error), headstart_error.status, headers)


async def _validation_error(_request: Request, error: Exception) -> JSONResponse:
    first = cast(RequestValidationError, error).errors()[0]
    location = [str(part) for part in first["loc"][1:]]  # the first is "body", "query" or "path"
    param = ".".join(location) or None
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "this parameter is not supported"
    if first["type"] == "json_invalid":
        param, message = None, f"the body is not valid JSON: {first['ctx']['error']}"
    text = f"{param}: {message}" if param else message
    body = ErrorBody(message=text, type="invalid_request_error", param=param, code=None)
    return JSONResponse(ErrorEnvelope(error=body).model_dump(), 400)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    http_error = cast(HTTPException, error)
    message = f"{request.method} {request.url.path}: {http_error.detail}"
    body = ErrorBody(message=message, type="invalid_request_error", param=None, code=None)
    return JSONResponse(
        ErrorEnvelope(error=body).model_dump(), http_error.status_code, http_error.headers
    )


async def _half_a_character(_request: Request, _error: Exception) -> JSONResponse:
    """JSON can spell a lone surrogate, which no id has and no database can look for."""
    body = ErrorBody(
        message="the request contains half a character (a lone surrogate such as \\ud800)",
        type="invalid_request_error",
        param=None,
        code=None,
    )
    return JSONResponse(ErrorEnvelope(error=body).model_dump(), 400)


async def _client_gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=499)  # nginx's number for it; it is seen in the metrics alone


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return JSONResponse(envelope(error), 500)
