"""The least that a gateway in Python can do: FastAPI and aiohttp, and nothing of what it is for.

No key, no validation, no limits, no record. What it costs is the price of the two libraries, and
so the floor for Headstart, which stands on them too.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

_JSON = {"Content-Type": "application/json"}


@contextmanager
def running_proxy(upstream: str) -> Iterator[tuple[int, int]]:
    """A proxy to `upstream` in a process of its own: its port and process id."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port, descriptor = sock.getsockname()[1], sock.fileno()
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.bare_proxy", str(descriptor), upstream],
            pass_fds=[descriptor],
        )
    try:  # the socket is the proxy's alone now: without it, connections are refused
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def proxy(upstream: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            app.state.session = session
            yield

    api = FastAPI(lifespan=lifespan)

    @api.post("/v1/chat/completions")
    async def forward(request: Request) -> Response:
        body = await request.body()
        answer = await request.app.state.session.post(upstream, data=body, headers=_JSON)
        if answer.headers["Content-Type"] == "text/event-stream":
            return StreamingResponse(answer.content.iter_any(), media_type="text/event-stream")
        return Response(await answer.read(), media_type="application/json")

    return api


if __name__ == "__main__":
    listening = socket.socket(fileno=int(sys.argv[1]))
    config = uvicorn.Config(proxy(sys.argv[2]), log_level="error", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])
