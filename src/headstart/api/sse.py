"""Answers that stream, and answers that stop when the client has gone.

Both end the work below them as soon as the connection closes: the iterator is closed (or the task
cancelled), which aborts the request to the worker, which drops the generation within a step.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
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
        first = await while_connected(request, _next(payloads))
        return cls(first, payloads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sender = asyncio.create_task(self._send_all(send))
        listener = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait({sender, listener}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            listener.cancel()
            sender.cancel()
            await asyncio.gather(sender, listener, return_exceptions=True)

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        async with aclosing(cast("_Closable", self._rest)) as rest:
            try:
                if self._first is not None:
                    await _send_event(send, self._first)
                async for payload in rest:
                    await _send_event(send, payload)
                await _send_event(send, b"[DONE]")
            except Exception as error:
                if not isinstance(error, HeadstartError):
                    log.error("stream failed", exc_info=error)
                await _send_event(send, json.dumps(envelope(error)).encode())
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def while_connected(request: Request, work: Coroutine[None, None, T]) -> T:
    """The result of `work`, which is cancelled when the client goes away first."""
    task = asyncio.create_task(work)
    listener = asyncio.create_task(_disconnected(request.receive))
    try:
        await asyncio.wait({task, listener}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        return task.result()
    finally:
        listener.cancel()
        task.cancel()
        await asyncio.gather(task, listener, return_exceptions=True)


class _Closable(AsyncIterator[bytes]):
    async def aclose(self) -> None: ...


async def _next(payloads: AsyncIterator[bytes]) -> bytes | None:
    return await anext(payloads, None)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_event(send: Send, payload: bytes) -> None:
    body = b"data: " + payload + b"\n\n"
    await send({"type": "http.response.body", "body": body, "more_body": True})
