"""The service: deploying, resuming, failing over, idling, draining, deleting."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from headstart.errors import BadRequest, Conflict, NotFound, Unavailable
from headstart.hub.hub import Hub
from headstart.hub.sources.base import PullCancelled, PullProgress
from headstart.hub.stored import StoredModel
from headstart.serving.base import Endpoint
from headstart.serving.deployment import echo_model
from headstart.serving.endpoints import Endpoints, default_name
from headstart.serving.engines.base import Launch
from headstart.serving.replica import Patience
from headstart.serving.status import State
from headstart.serving.supervisor import Policy
from headstart.settings import load
from tests.serving.fakes import FakeEngine, OtherEngine, ask, call, serving, until


def resolved(endpoints: Endpoints, name: str) -> Endpoint:
    endpoint = endpoints.resolve(name)
    assert endpoint is not None
    return endpoint


def running(pid: int | None) -> bool:
    assert pid is not None
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def hello(endpoints: Endpoints, name: str) -> str | None:
    answer = await resolved(endpoints, name).answer(call(), ask("hi"))
    return answer.choices[0].message.content


async def test_deploy_chat_delete(home: Path) -> None:
    async with serving(home) as endpoints:
        status = await endpoints.deploy("echo", engine="fake", idle_timeout=3600)
        assert status.status in (State.PULLING, State.STARTING)
        assert status.id.startswith("ep_")
        status = await endpoints.wait_ready("echo", 20)
        assert (status.engine, status.requested_engine) == ("fake", "fake")
        assert (status.context_length, status.idle_timeout) == (64, 3600)
        assert running(status.pid)
        assert (status.memory_bytes or 0) > 1_000_000
        assert await hello(endpoints, "echo") == "Hello"
        assert "fake worker on" in endpoints.logs("echo")
        assert endpoints.status(status.id).name == "echo"
        await endpoints.delete(status.id)
        assert not running(status.pid)
        assert endpoints.resolve("echo") is None
        assert endpoints.statuses() == []
        with pytest.raises(NotFound, match="No endpoint 'echo'"):
            endpoints.status("echo")
        assert list((home / "logs").iterdir()) == []


async def test_deploying_again_changes_nothing(home: Path) -> None:
    async with serving(home) as endpoints:
        first, second = await asyncio.gather(
            endpoints.deploy("echo", name="chat", engine="fake"),
            endpoints.deploy("echo", name="chat", engine="fake"),
        )
        assert first.id == second.id
        assert len(endpoints.statuses()) == 1
        with pytest.raises(Conflict, match=r"idle_timeout is None, not 5\.0") as conflict:
            await endpoints.deploy("echo", name="chat", engine="fake", idle_timeout=5.0)
        assert "headstart endpoints delete chat" in conflict.value.message


async def test_the_same_endpoints_after_a_restart(home: Path) -> None:
    async with serving(home) as endpoints:
        status = await endpoints.deploy("echo", name="chat", engine="fake", options={"threads": 1})
        pid = (await endpoints.wait_ready("chat", 20)).pid
    assert not running(pid)
    engine = FakeEngine()
    async with serving(home, {"fake": engine}) as endpoints:
        assert (await endpoints.wait_ready("chat", 20)).id == status.id
        assert engine.launches[0].threads == 1
        assert await hello(endpoints, "chat") == "Hello"


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", "ä", "x" * 65, "../up"])
async def test_names_that_cannot_be(home: Path, name: str) -> None:
    async with serving(home) as endpoints:
        with pytest.raises(BadRequest, match="cannot name an endpoint"):
            await endpoints.deploy("echo", name=name or " ", engine="fake")


async def test_what_nobody_knows_is_refused_at_once(home: Path) -> None:
    async with serving(home) as endpoints:
        with pytest.raises(NotFound, match="smollm2-135m-instruct"):
            await endpoints.deploy("smolm2-135m-instruct")
        with pytest.raises(BadRequest, match="no engine 'warp'; there are: auto, fake"):
            await endpoints.deploy("echo", engine="warp")
        assert endpoints.statuses() == []


def test_default_names() -> None:
    assert default_name("smollm2-135m-instruct") == "smollm2-135m-instruct"
    assert default_name("smollm2-135m-instruct:Q8_0") == "smollm2-135m-instruct-Q8_0"
    assert default_name("hf:org/Repo-GGUF/sub/model.Q4.gguf@main") == "model.Q4"
    assert default_name("hf:org/Repo") == "Repo"
    assert default_name("/data/models/My model/") == "My-model"
    assert default_name("/") == "model"


async def test_the_next_engine_when_one_cannot_load_the_model(home: Path) -> None:
    engines = {"fake": FakeEngine("--crash"), "other": OtherEngine()}
    async with serving(home, engines) as endpoints:
        await endpoints.deploy("echo")
        status = await endpoints.wait_ready("echo", 20)
        assert status.engine == "other"
        assert status.engine_reason is not None
        assert "bad magic" in status.engine_reason
        assert status.restarts == 0


async def test_a_model_that_no_engine_loads_says_why_and_is_tried_again(home: Path) -> None:
    engine = FakeEngine("--crash")
    async with serving(home, {"fake": engine}) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        with pytest.raises(Unavailable, match="exit status 1") as failed:
            await endpoints.wait_ready("echo", 20)
        assert "cannot load these weights: bad magic" in failed.value.message
        await until(lambda: len(engine.launches) >= 3)
        engine.arguments.clear()
        await until(lambda: endpoints.status("echo").status is State.READY)
        assert await hello(endpoints, "echo") == "Hello"
        assert endpoints.status("echo").error is None


async def test_asking_again_for_what_failed_tries_again_at_once(home: Path) -> None:
    engine = FakeEngine("--crash")
    policy = Policy(first_pause=3600, longest_pause=3600)
    async with serving(home, {"fake": engine}, policy=policy) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        with pytest.raises(Unavailable):
            await endpoints.wait_ready("echo", 20)
        engine.arguments.clear()
        assert (await endpoints.deploy("echo", engine="fake")).status is State.STARTING
        await endpoints.wait_ready("echo", 20)


class BrokenEngine(FakeEngine):
    """An engine with a bug."""

    name = "broken"

    def command(self, launch: Launch) -> list[str]:
        raise KeyError("threads")


async def test_a_broken_engine_is_passed_over(home: Path) -> None:
    async with serving(home, {"broken": BrokenEngine(), "fake": FakeEngine()}) as endpoints:
        await endpoints.deploy("echo")
        status = await endpoints.wait_ready("echo", 20)
        assert status.engine == "fake"
        assert "broken cannot start a worker: 'threads'" in (status.engine_reason or "")


async def test_a_worker_that_never_gets_ready(home: Path) -> None:
    patience = Patience(start=1, health=1, terminate=1)
    async with serving(home, {"fake": FakeEngine("--mute")}, patience=patience) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        with pytest.raises(Unavailable, match="was not ready after 1 s") as failed:
            await endpoints.wait_ready("echo", 20)
        assert "fake worker on" in failed.value.message
        await endpoints.delete("echo")
    assert list((home / "processes").iterdir()) == []


async def test_a_crash_loop_is_a_failure_that_goes_on_slowly(home: Path) -> None:
    policy = Policy(first_pause=0.4, longest_pause=0.4, crash_limit=2)
    async with serving(home, policy=policy) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        await crash(endpoints)
        assert endpoints.status("echo").status is State.STARTING
        await endpoints.wait_ready("echo", 20)
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
    status = await endpoints.wait_ready("echo", 20)
    os.kill(status.pid or 0, signal.SIGKILL)
    await until(lambda: endpoints.status("echo").restarts > status.restarts)


async def test_a_worker_that_hangs_is_replaced(home: Path) -> None:
    async with serving(home, patience=Patience(health=0.3)) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        status = await endpoints.wait_ready("echo", 20)
        os.kill(status.pid or 0, signal.SIGSTOP)
        await until(lambda: endpoints.status("echo").restarts == 1)
        await endpoints.wait_ready("echo", 20)
        assert endpoints.status("echo").pid != status.pid
        assert await hello(endpoints, "echo") == "Hello"


async def test_a_port_that_was_taken_in_the_meantime(home: Path) -> None:
    engine = FakeEngine()
    async with serving(home, {"fake": engine, "other": OtherEngine()}) as endpoints:
        await endpoints.deploy("echo", name="a", engine="fake")
        await endpoints.wait_ready("a", 20)
        taken = engine.launches[0].port
        engine.ports.append(taken)  # the next worker tries this one first
        await endpoints.deploy("echo", name="b", engine="fake")
        status = await endpoints.wait_ready("b", 20)
        assert status.restarts == 0
        assert engine.launches[-1].port != taken
        assert await hello(endpoints, "b") == "Hello"
        assert await hello(endpoints, "a") == "Hello"


async def test_idle_workers_stop_and_the_next_calls_start_one(home: Path) -> None:
    engine = FakeEngine()
    async with serving(home, {"fake": engine}) as endpoints:
        await endpoints.deploy("echo", engine="fake", idle_timeout=0.2)
        pid = (await endpoints.wait_ready("echo", 20)).pid
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
        await endpoints.wait_ready("echo", 20)
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
        await endpoints.wait_ready("echo", 20)
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
        await endpoints.wait_ready("echo", 20)
        answer = asyncio.create_task(resolved(endpoints, "echo").answer(call(), ask("endless")))
        await until(lambda: "endless" in endpoints.logs("echo"))
        await endpoints.delete("echo")
        with pytest.raises(Unavailable):
            await answer


class SlowHub(Hub):
    """A hub whose pulls wait for the test."""

    def __init__(self, home: Path) -> None:
        super().__init__(load(home=home))
        self.go = threading.Event()
        self.cancelled = threading.Event()
        self.error: Exception | None = None

    def pull(
        self,
        name: str,
        variant: str | None = None,
        *,
        progress: Callable[[PullProgress], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> StoredModel:
        assert progress is not None
        assert cancelled is not None
        progress(PullProgress("download", 40, 100))
        while not self.go.wait(0.01):
            if cancelled.is_set():
                self.cancelled.set()
                raise PullCancelled("cancelled")
        if self.error is not None:
            raise self.error
        return echo_model()


async def test_a_call_while_pulling_says_how_far_it_is(home: Path) -> None:
    hub = SlowHub(home)
    async with serving(home, hub=hub) as endpoints:
        await endpoints.deploy("smollm2-135m-instruct", name="chat", engine="fake")
        await until(lambda: endpoints.status("chat").progress is not None)
        status = endpoints.status("chat")
        assert status.status is State.PULLING
        with pytest.raises(Unavailable, match=r"still being fetched \(download 40 %\)"):
            await hello(endpoints, "chat")
        with pytest.raises(Unavailable, match="still pulling after 0 s"):
            await endpoints.wait_ready("chat", 0.01)
        hub.go.set()
        await endpoints.wait_ready("chat", 20)
        assert endpoints.status("chat").progress is None
        assert await hello(endpoints, "chat") == "Hello"


async def test_deleting_while_pulling(home: Path) -> None:
    hub = SlowHub(home)
    async with serving(home, hub=hub) as endpoints:
        await endpoints.deploy("smollm2-135m-instruct", name="chat", engine="fake")
        await until(lambda: endpoints.status("chat").progress is not None)
        await endpoints.delete("chat")
        assert hub.cancelled.is_set()
        assert endpoints.statuses() == []


async def test_a_pull_that_fails_is_a_failed_endpoint(home: Path) -> None:
    hub = SlowHub(home)
    hub.error = Unavailable("Could not get it: no network.")
    hub.go.set()
    async with serving(home, hub=hub) as endpoints:
        await endpoints.deploy("smollm2-135m-instruct", name="chat", engine="fake")
        with pytest.raises(Unavailable, match="no network"):
            await endpoints.wait_ready("chat", 20)
        with pytest.raises(Unavailable, match="'chat' is not running: Could not get it"):
            await hello(endpoints, "chat")
        hub.error = None
        status = await endpoints.deploy("smollm2-135m-instruct", name="chat", engine="fake")
        assert status.status is State.PULLING  # asked for again, it does not wait to try again
        await endpoints.wait_ready("chat", 20)


async def test_deleting_while_starting(home: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with serving(home, {"fake": FakeEngine("--gate", str(gate))}) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        await until(lambda: "fake worker on" in endpoints.logs("echo"))
        assert endpoints.status("echo").status is State.STARTING
        await endpoints.delete("echo")
    assert list((home / "processes").iterdir()) == []


async def test_following_logs(home: Path) -> None:
    async with serving(home) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        await endpoints.wait_ready("echo", 20)
        text, position = endpoints.logs_tail("echo", 1)
        assert text.startswith("fake worker on")
        await hello(endpoints, "echo")
        text, position = endpoints.logs_after("echo", position)
        assert text.startswith("request ")
        assert endpoints.logs_after("echo", position) == ("", position)
