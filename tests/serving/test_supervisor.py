"""One worker's life: crashes, hangs, idleness, the end."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import aclosing
from pathlib import Path

import pytest

from headstart.errors import Conflict, Unavailable
from headstart.serving.endpoints import Endpoints
from headstart.serving.replica import Patience
from headstart.serving.status import State
from headstart.serving.supervisor import Policy
from tests.serving.fakes import (
    FakeEngine,
    ask,
    call,
    hello,
    resolved,
    running,
    serving,
    until,
)


async def test_a_crash_loop_is_a_failure_that_goes_on_slowly(home: Path) -> None:
    policy = Policy(first_pause=0.4, longest_pause=0.4, crash_limit=2)
    async with serving(home, policy=policy) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        await crash(endpoints)
        assert endpoints.status("echo").status is State.STARTING
        await endpoints.wait_ready("echo", 60)
        await crash(endpoints)
        status = endpoints.status("echo")
        assert status.status is State.FAILED
        assert status.error is not None
        assert "SIGKILL" in status.error
        assert "fake worker on" in status.error
        with pytest.raises(Unavailable, match="is not running"):
            await hello(endpoints, "echo")
        await until(lambda: endpoints.status("echo").status is State.READY)
        assert await hello(endpoints, "echo") == "Hello"


async def crash(endpoints: Endpoints) -> None:
    status = await endpoints.wait_ready("echo", 60)
    os.kill(status.pid or 0, signal.SIGKILL)
    await until(lambda: endpoints.status("echo").restarts > status.restarts)


async def test_a_worker_that_hangs_is_replaced(home: Path) -> None:
    async with serving(home, patience=Patience(health=0.3)) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        status = await endpoints.wait_ready("echo", 60)
        os.kill(status.pid or 0, signal.SIGSTOP)
        await until(lambda: endpoints.status("echo").restarts == 1)
        await endpoints.wait_ready("echo", 60)
        assert endpoints.status("echo").pid != status.pid
        assert await hello(endpoints, "echo") == "Hello"


async def test_idle_workers_stop_and_the_next_calls_start_one(home: Path) -> None:
    engine = FakeEngine()
    async with serving(home, {"fake": engine}) as endpoints:
        await endpoints.deploy("echo", engine="fake", idle_timeout=0.2)
        pid = (await endpoints.wait_ready("echo", 60)).pid
        await until(lambda: endpoints.status("echo").status is State.IDLE)
        assert not running(pid)
        assert endpoints.status("echo").memory_bytes is None
        answers = await asyncio.gather(*(hello(endpoints, "echo") for _ in range(8)))
        assert answers == ["Hello"] * 8
        assert len(engine.launches) == 2
        assert endpoints.status("echo").restarts == 0


async def test_a_call_in_flight_is_not_idleness(home: Path) -> None:
    async with serving(home) as endpoints:
        await endpoints.deploy("echo", engine="fake", idle_timeout=0.05)
        await endpoints.wait_ready("echo", 60)
        endpoint = resolved(endpoints, "echo")
        async with aclosing(endpoint.chat(call(), ask("endless"))) as stream:
            for _ in range(50):  # 0.5 s
                await anext(stream)
            assert endpoints.status("echo").status is State.READY
        await until(lambda: endpoints.status("echo").status is State.IDLE)


async def test_deleting_lets_calls_end(home: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with serving(home) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        await endpoints.wait_ready("echo", 60)
        endpoint = resolved(endpoints, "echo")
        request = ask("until the gate opens")
        request.messages.insert(0, request.messages[0].model_copy(update={"content": str(gate)}))
        answer = asyncio.create_task(endpoint.answer(call(), request))
        await until(lambda: "until the gate" in endpoints.logs("echo"))
        deletion = asyncio.create_task(endpoints.delete("echo"))
        await until(lambda: endpoints.status("echo").status is State.STOPPING)
        with pytest.raises(Unavailable, match="is being stopped"):
            await endpoint.answer(call(), ask("hi"))
        with pytest.raises(Conflict, match="being deleted"):
            await endpoints.deploy("echo", engine="fake")
        assert not answer.done()
        gate.touch()
        assert (await answer).choices[0].message.content == "Hello"
        await deletion


async def test_draining_has_an_end(home: Path) -> None:
    async with serving(
        home, policy=Policy(drain=0.1), patience=Patience(terminate=0.1)
    ) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        await endpoints.wait_ready("echo", 60)
        answer = asyncio.create_task(resolved(endpoints, "echo").answer(call(), ask("endless")))
        await until(lambda: "endless" in endpoints.logs("echo"))
        await endpoints.delete("echo")
        with pytest.raises(Unavailable):
            await answer
