"""A worker's HTTP application: OpenAI's routes, and llama.cpp's `/apply-template`, `/tokenize`.

Listens for the client going away in every answer, streamed or not: the work is cancelled then,
which ends the generation at the next step. With a `key`, every route but `/health` asks for it:
loopback is open to every account of the machine and to the pages in its browsers.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from headstart.errors import (
    BadRequest,
    ContextTooLong,
    HeadstartError,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from headstart.serving.requests import ChatRequest, CompletionRequest, EmbeddingRequest, Message
from headstart.serving.workers import answers
from headstart.serving.workers.base import Backend
from headstart.serving.workers.plans import Plan, plan_chat, plan_completion, template_messages

log = logging.getLogger(__name__)

_CLIENT_LEFT = 499
_Body = TypeVar("_Body", bound=BaseModel)
_MESSAGES: TypeAdapter[list[Message]] = TypeAdapter(list[Message])


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class TemplateRequest(_Lenient):
    messages: list[Message]
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None


class TokenizeRequest(_Lenient):
    content: str
    add_special: bool = False


class Service:
    """The routes of one backend. `ready` is set once it has loaded."""

    def __init__(self, backend: Backend, model: str, key: str | None = None) -> None:
        self.backend = backend
        self.model = model
        self._expected = f"Bearer {key}".encode() if key else None
        self.ready = False

    def app(self) -> Starlette:
        routes = [
            Route("/health", self.health),
            Route("/props", self.props),
            Route("/v1/models", self.models),
            Route("/apply-template", self._answer(self.apply_template), methods=["POST"]),
            Route("/tokenize", self._answer(self.tokenize), methods=["POST"]),
            Route("/v1/chat/completions", self._answer(self.chat), methods=["POST"]),
            Route("/v1/completions", self._answer(self.complete), methods=["POST"]),
            Route("/v1/embeddings", self._answer(self.embed), methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers={404: _no_route, 405: _no_route})

    async def health(self, _request: Request) -> Response:
        if not self.ready:
            return _error(Unavailable("Loading model"))
        return _json({"status": "ok"})

    async def props(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        backend = self.backend
        return _json(
            {"n_ctx": backend.context_length, "model": self.model, "running": backend.running}
        )

    async def models(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        card = {"id": self.model, "object": "model", "created": 0, "owned_by": "headstart"}
        return _json({"object": "list", "data": [card]})

    async def apply_template(self, body: bytes) -> dict[str, Any]:
        request = _read(TemplateRequest, body)
        tools = None if request.tool_choice == "none" else request.tools or None
        return {"prompt": self.backend.render(template_messages(request.messages), tools)}

    async def tokenize(self, body: bytes) -> dict[str, Any]:
        request = _read(TokenizeRequest, body)
        return {"tokens": self.backend.tokenize(request.content, special=request.add_special)}

    async def chat(self, body: bytes) -> Any:
        request = _read(ChatRequest, body)
        return await self._carry_out(plan_chat(self.backend, request, self.model))

    async def complete(self, body: bytes) -> Any:
        request = _read(CompletionRequest, body)
        return await self._carry_out(plan_completion(self.backend, request, self.model))

    async def embed(self, body: bytes) -> dict[str, Any]:
        request = _read(EmbeddingRequest, body)
        made = await self.backend.embed(request)
        vectors: list[Any]
        if request.encoding_format == "base64":
            vectors = [base64.b64encode(vector).decode() for vector in made.vectors]
        else:
            vectors = [struct.unpack(f"<{len(v) // 4}f", v) for v in made.vectors]
        data = [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(vectors)
        ]
        used = {"prompt_tokens": made.tokens, "total_tokens": made.tokens}
        return {"object": "list", "data": data, "model": self.model, "usage": used}

    def _refusal(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "").encode()
        if self._expected is not None and not hmac.compare_digest(given, self._expected):
            return _error(Unauthenticated("this worker answers to its server alone"))
        return None if self.ready else _error(Unavailable("Loading model"))

    async def _carry_out(self, plan: Plan) -> Any:
        if plan.stream:
            return answers.stream(self.backend, plan)
        return await answers.whole(self.backend, plan)

    def _answer(
        self, handle: Callable[[bytes], Awaitable[Any]]
    ) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """A route: body in, answer or error out, cancelled when the client leaves."""

        async def route(request: Request) -> Response:
            if (refusal := self._refusal(request)) is not None:
                return refusal
            body = await request.body()
            work = asyncio.ensure_future(handle(body))
            try:
                if not await _finished_first(work, request.receive):
                    return Response(status_code=_CLIENT_LEFT)
                answer = work.result()
            except HeadstartError as error:
                return _error(error)
            except Exception as error:
                log.exception("bug in %s", request.url.path)
                return _error(HeadstartError(f"internal error: {error!r}"))
            if isinstance(answer, AsyncGenerator):
                return EventStream(answer)
            return _json(answer)

        return route


class EventStream(Response):
    """Server-sent events from a generator, which is closed as soon as the client leaves.

    Starlette's own streaming response notices that only when it next sends, which during a long
    prefill may be many seconds away.
    """

    def __init__(self, chunks: AsyncGenerator[dict[str, Any], None]) -> None:
        self.status_code = 200
        self.background = None
        self.raw_headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
        ]
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _finished_first(asyncio.ensure_future(self._send_all(send)), receive)

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async with aclosing(self._chunks) as chunks:
                async for chunk in chunks:
                    await _send_event(send, to_json(chunk))
            await _send_event(send, b"[DONE]")
        except HeadstartError as error:
            await _send_event(send, to_json(_envelope(error)))
        except Exception as error:
            log.exception("bug in a stream")
            await _send_event(send, to_json(_envelope(HeadstartError(f"internal: {error!r}"))))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_event(send: Send, payload: bytes) -> None:
    body = b"data: " + payload + b"\n\n"
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _finished_first(work: asyncio.Future[Any], receive: Receive) -> bool:
    """Wait for `work`; cancel it, and say False, when the client disconnects before it ends."""
    gone = asyncio.ensure_future(_disconnect(receive))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        return work.done()
    finally:
        for task in (gone, work):
            if not task.done():
                task.cancel()
        await asyncio.gather(gone, work, return_exceptions=True)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _read(kind: type[_Body], body: bytes) -> _Body:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        param = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            message = f"unknown parameter '{param}'"
        else:
            message = f"{param or 'body'}: {first['msg']}"
        raise BadRequest(message, param=param or None) from error


def _envelope(error: HeadstartError) -> dict[str, Any]:
    body: dict[str, Any] = {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.code,
    }
    if isinstance(error, ContextTooLong):  # in the words of llama.cpp's server
        body |= {"n_prompt_tokens": error.prompt_tokens, "n_ctx": error.context_length}
    return {"error": body}


def _error(error: HeadstartError) -> Response:
    return Response(to_json(_envelope(error)), error.status, media_type="application/json")


def _json(body: Any) -> Response:
    return Response(to_json(body), media_type="application/json")


async def _no_route(request: Request, _: Exception) -> Response:
    return _error(NotFound(f"a worker does not serve {request.method} {request.url.path}"))
