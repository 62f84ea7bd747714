"""What the gateway costs: a chat completion through Headstart, beside a proxy that does nothing.

Both stand before the same worker, which costs next to nothing (`mock_worker.py`). Headstart checks
the key, validates, routes and, unless `store` is false, records durably. Processor time of the
server's process is the figure to compare: it says the same on a busy machine. Load comes from this
process over loopback.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import uvloop
from tests.server import RunningServer, running_server

from benchmarks.bare_proxy import running_proxy
from benchmarks.mock_worker import WORDS, installed

CALLS = 2000
WARM_UP = 200
DECLARATION = """
[endpoints.mock]
model = "echo"
engine = "mock"
"""


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    pid: int
    more: dict[str, Any]  # of the request's body


@dataclass(frozen=True)
class Result:
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float  # of the server's process, per request


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = installed(Path(folder) / "plugin")
        home = Path(folder) / "home"
        with (
            running_server(home, DECLARATION, environment=environment) as headstart,
            running_proxy(_worker(headstart)) as (port, pid),
        ):
            bare = Server("bare proxy", port, pid, {})
            port, pid = int(headstart.url.rpartition(":")[2]), headstart.process.pid
            servers = [
                bare,
                Server("Headstart, store: false", port, pid, {"store": False}),
                Server("Headstart", port, pid, {}),
            ]
            print(f"Chat completion of 8 words, {CALLS} calls in each row\n")
            print("| answer | connections | server | requests/s | p50 ms | p99 ms | CPU ms | × |")
            print("|---|--:|---|--:|--:|--:|--:|--:|")
            for stream in (False, True):
                for connections in (1, 16):
                    _compare(servers, headstart.key, connections, stream=stream)
            resident = psutil.Process(pid).memory_info().rss
            print("\nCPU: of the server's process, per request; ×: of the bare proxy's.")
            print(f"Headstart's process: {resident / 2**20:.0f} MiB resident.")


def _compare(servers: list[Server], key: str, connections: int, *, stream: bool) -> None:
    answer, least = "streamed" if stream else "whole", 0.0
    for server in servers:
        result = uvloop.run(_load(server, key, connections, stream=stream))
        least = least or result.cpu_ms
        print(
            f"| {answer} | {connections} | {server.name} | {result.requests_per_second:.0f} "
            f"| {result.p50_ms:.2f} | {result.p99_ms:.2f} | {result.cpu_ms:.2f} "
            f"| {result.cpu_ms / least:.2f} |",
            flush=True,
        )


def _worker(server: RunningServer) -> str:
    """Where the worker answers chats."""
    with server.http() as http:
        pid = http.get("/v1/endpoints/mock").json()["pid"]
    listening = [c for c in psutil.Process(pid).net_connections() if c.status == psutil.CONN_LISTEN]
    return f"http://127.0.0.1:{listening[0].laddr.port}/v1/chat/completions"


async def _load(server: Server, key: str, connections: int, *, stream: bool) -> Result:
    request = _request(server, key, stream=stream)
    async with asyncio.TaskGroup() as opening:
        clients = [opening.create_task(_Client.open(server.port)) for _ in range(connections)]
    open_clients = [client.result() for client in clients]
    await _calls(open_clients, request, WARM_UP)
    process = psutil.Process(server.pid)
    before, started = process.cpu_times(), time.perf_counter()
    latencies = await _calls(open_clients, request, CALLS)
    seconds, after = time.perf_counter() - started, process.cpu_times()
    for client in open_clients:
        client.close()
    cpu = after.user + after.system - before.user - before.system
    cuts = statistics.quantiles(latencies, n=100)
    return Result(CALLS / seconds, cuts[49] * 1000, cuts[98] * 1000, cpu / CALLS * 1000)


async def _calls(clients: list[_Client], request: bytes, count: int) -> list[float]:
    """`count` calls, each client making one after the other; how many seconds each took."""
    latencies: list[float] = []
    left = iter(range(count))

    async def work(client: _Client) -> None:
        for _ in left:
            started = time.perf_counter()
            await client.call(request)
            latencies.append(time.perf_counter() - started)

    async with asyncio.TaskGroup() as working:
        for client in clients:
            working.create_task(work(client))
    return latencies


def _request(server: Server, key: str, *, stream: bool) -> bytes:
    body: dict[str, Any] = {"model": "mock", "messages": [{"role": "user", "content": WORDS}]}
    # without white space, because the mock worker looks for `"stream":true` in it
    content = json.dumps({**body, "stream": stream, **server.more}, separators=(",", ":")).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


class _Client:
    """A keep-alive connection that does not look into answers more than it must."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> _Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def call(self, request: bytes) -> bytes:
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(head.decode())
        _, whole, rest = head.partition(b"content-length:")
        if whole:
            return await self._reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
        return await self._reader.readuntil(b"\r\n0\r\n\r\n")

    def close(self) -> None:
        self._writer.close()


if __name__ == "__main__":
    main()
