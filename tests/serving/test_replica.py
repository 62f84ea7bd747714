"""One worker process: its port, its readiness, its end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from headstart.errors import Unavailable
from headstart.runtime.local import LocalRuntime
from headstart.runtime.logs import Log
from headstart.serving.echo import echo_model
from headstart.serving.replica import Patience, Replica, WorkerFailed, free_port
from headstart.serving.worker_client import new_session
from tests.serving.fakes import (
    PATIENT,
    FakeEngine,
    OtherEngine,
    hello,
    serving,
)


async def test_a_port_that_was_taken_in_the_meantime(home: Path) -> None:
    engine = FakeEngine()
    async with serving(home, {"fake": engine, "other": OtherEngine()}) as endpoints:
        await endpoints.deploy("echo", name="a", engine="fake")
        await endpoints.wait_ready("a", 60)
        taken = engine.launches[0].port
        engine.ports.append(taken)  # the next worker tries this one first
        await endpoints.deploy("echo", name="b", engine="fake")
        status = await endpoints.wait_ready("b", 60)
        assert status.restarts == 0
        assert engine.launches[-1].port != taken
        assert await hello(endpoints, "b") == "Hello"
        assert await hello(endpoints, "a") == "Hello"


async def test_a_worker_that_never_gets_ready(home: Path) -> None:
    patience = Patience(start=1, health=1, terminate=1)
    async with serving(home, {"fake": FakeEngine("--mute")}, patience=patience) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        with pytest.raises(Unavailable, match="was not ready after 1 s") as failed:
            await endpoints.wait_ready("echo", 60)
        assert "fake worker on" in failed.value.message
        await endpoints.delete("echo")
    assert list((home / "processes").iterdir()) == []


async def start(engine: FakeEngine, home: Path, patience: Patience = PATIENT) -> Replica:
    runtime = LocalRuntime(home / "processes")
    log = Log(home / "logs" / "x.log")
    async with new_session() as http:
        return await Replica.start(runtime, http, engine, echo_model(), {}, log, patience)


async def agree(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Somebody else's program, which says yes to everything."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def test_a_stranger_on_the_port_is_not_taken_for_the_worker(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has not got to listening yet; the stranger on its port answers /health."""
    engine = FakeEngine("--mute")
    stranger = await asyncio.start_server(agree, "127.0.0.1", 0)
    taken: int = stranger.sockets[0].getsockname()[1]

    def ports() -> Iterator[int]:
        yield taken
        engine.arguments.clear()
        yield free_port()

    monkeypatch.setattr("headstart.serving.replica.free_port", ports().__next__)
    async with stranger:
        replica = await start(engine, home)
        assert [launch.port for launch in engine.launches] == [taken, replica.port]
        await replica.stop()
    assert list((home / "processes").iterdir()) == []


async def test_a_failure_has_a_line_for_people_and_the_log(home: Path) -> None:
    with pytest.raises(WorkerFailed) as failed:
        await start(FakeEngine("--crash"), home)
    how = "the fake worker ended with exit status 1"
    assert failed.value.brief == f"{how}: cannot load these weights: bad magic"
    assert str(failed.value).startswith(f"{how}:\nfake worker on ")


async def test_each_worker_has_a_key_of_its_own(home: Path) -> None:
    replica = await start(FakeEngine(), home)
    async with new_session() as http:
        assert await replica.healthy(http)
        async with http.get(replica.at("health")) as response:
            assert response.status == 401
    await replica.stop()


async def test_context_length_is_the_workers(home: Path) -> None:
    replica = await start(FakeEngine(), home)
    assert replica.context_length == 64
    states = [(replica.alive, await replica.ended_within(0))]
    await replica.stop()
    states.append((replica.alive, await replica.ended_within(0)))
    assert states == [(True, False), (False, True)]


def test_free_ports_are_free() -> None:
    assert 1024 <= free_port() <= 65535
