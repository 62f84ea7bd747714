"""Answers that stream, and answers that stop when the client has gone.

Both end the work below them as soon as the connection closes: the iterator is closed (or the task
cancelled), which aborts the request to the worker, which drops the generation within a step.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing, suppress
from typing import TypeVar, cast

import structlog
from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from headstart.api.errors import ClientGone, envelope
from headstart.errors import HeadstartError

log = structlog.get_logger()

T = TypeVar("T")

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy in front must not collect the tokens
]


class EventStream(Response):
    """Server-sent events of ready-made JSON payloads, ended by `[DONE]`.

    Build it with `EventStream.open`, which waits for the first payload: what fails before that is
    an ordinary error response. What fails later becomes an error event, as OpenAI sends it.
    """

    def __init__(self, first: bytes | None, rest: AsyncIterator[bytes]) -> None:
        self.status_code = 200
        self.background = None
        self._first = first
        self._rest = rest

    @classmethod
    async def open(cls, request: Request, payloads: AsyncIterator[bytes]) -> EventStream:
        first = await while_connected(request.receive, _next(payloads))
        return cls(first, payloads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ClientGone):
            await while_connected(receive, self._send_all(send))

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        last = b"[DONE]"
        async with aclosing(cast("_Closable", self._rest)) as rest:
            try:
                if self._first is not None:
                    await _send_event(send, self._first)
                async for payload in rest:
                    await _send_event(send, payload)
            except Exception as error:
                if not isinstance(error, HeadstartError):
                    log.error("stream failed", exc_info=error)
                last = json.dumps(envelope(error)).encode()
        await _send_event(send, last, more=False)


async def while_connected(receive: Receive, work: Coroutine[None, None, T]) -> T:
    """The result of `work`. When the client goes away first, it is cancelled and, once it has
    ended, `ClientGone` is raised."""
    task = asyncio.create_task(work)
    listener = asyncio.create_task(_disconnected(receive))
    listener.add_done_callback(lambda _: task.cancel())
    try:
        return await task
    except asyncio.CancelledError:
        if listener.done():
            raise ClientGone from None
        raise
    finally:
        listener.cancel()


class _Closable(AsyncIterator[bytes]):
    async def aclose(self) -> None: ...


async def _next(payloads: AsyncIterator[bytes]) -> bytes | None:
    return await anext(payloads, None)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_event(send: Send, payload: bytes, *, more: bool = True) -> None:
    body = b"data: " + payload + b"\n\n"
    await send({"type": "http.response.body", "body": body, "more_body": more})
