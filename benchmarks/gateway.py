"""Gateway overhead: the same chat completion from the worker directly and through the server.

The worker is the echo engine, so that what differs is the gateway alone: key check, validation,
routing, the durable record. Load comes from this process over loopback, a bounded number of calls.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
from tests.server import RunningServer, running_server

CALLS = 1500
DECLARATION = """
[endpoints.echo]
model = "echo"
engine = "echo"
"""
BODY = {
    "model": "echo",
    "messages": [{"role": "user", "content": "one two three four five six seven eight"}],
}


@dataclass
class Result:
    requests_per_second: float
    p50_ms: float
    p99_ms: float


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as home,
        running_server(Path(home) / "home", DECLARATION) as server,
    ):
        print(f"Chat completion, echo engine, {CALLS} calls\n")
        print("| path | connections | requests/s | p50 ms | p99 ms |")
        print("|---|--:|--:|--:|--:|")
        worker, worker_key = _worker(server)
        for connections in (1, 16):
            direct = asyncio.run(_load(worker, worker_key, connections))
            through = asyncio.run(_load(server.openai_url, server.key, connections))
            for name, result in (("worker directly", direct), ("through Headstart", through)):
                print(
                    f"| {name} | {connections} | {result.requests_per_second:.0f} "
                    f"| {result.p50_ms:.2f} | {result.p99_ms:.2f} |"
                )
            print(
                f"| *ratio* | {connections} "
                f"| {through.requests_per_second / direct.requests_per_second:.2f} "
                f"| +{through.p50_ms - direct.p50_ms:.2f} | |"
            )
        resident = psutil.Process(server.process.pid).memory_info().rss
        print(f"\nServer process: {resident / 2**20:.0f} MiB resident.")


def _worker(server: RunningServer) -> tuple[str, str]:
    """Where the worker listens, and the key that it shares with the server."""
    with server.http() as http:
        pid = http.get("/v1/endpoints/echo").json()["pid"]
    process = psutil.Process(pid)
    ports = [c.laddr.port for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    return f"http://127.0.0.1:{ports[0]}/v1", process.environ()["HEADSTART_WORKER_KEY"]


async def _load(url: str, key: str, connections: int) -> Result:
    latencies: list[float] = []
    headers = {"Authorization": f"Bearer {key}"}
    left = iter(range(CALLS))

    async def client(session: aiohttp.ClientSession) -> None:
        for _ in left:
            started = time.perf_counter()
            async with session.post(f"{url}/chat/completions", json=BODY) as response:
                await response.read()
                response.raise_for_status()
            latencies.append(time.perf_counter() - started)

    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        await _warm_up(session, url)
        started = time.perf_counter()
        await asyncio.gather(*(client(session) for _ in range(connections)))
        seconds = time.perf_counter() - started
    cuts = statistics.quantiles(latencies, n=100)
    return Result(CALLS / seconds, cuts[49] * 1000, cuts[98] * 1000)


async def _warm_up(session: aiohttp.ClientSession, url: str) -> None:
    for _ in range(20):
        async with session.post(f"{url}/chat/completions", json=BODY) as response:
            await response.read()


if __name__ == "__main__":
    main()
