"""Fetching the model and choosing the engine, and what goes wrong there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from headstart.errors import Unavailable
from headstart.hub.hub import Hub
from headstart.hub.sources.base import PullCancelled, PullProgress
from headstart.hub.stored import StoredModel
from headstart.serving.echo import echo_model
from headstart.serving.engines.base import Launch
from headstart.serving.status import State
from headstart.serving.supervisor import Policy
from headstart.settings import load
from tests.serving.fakes import (
    FakeEngine,
    OtherEngine,
    hello,
    serving,
    until,
)


async def test_the_next_engine_when_one_cannot_load_the_model(home: Path) -> None:
    engines = {"fake": FakeEngine("--crash"), "other": OtherEngine()}
    async with serving(home, engines) as endpoints:
        await endpoints.deploy("echo")
        status = await endpoints.wait_ready("echo", 60)
        assert status.engine == "other"
        assert status.engine_reason is not None
        assert "bad magic" in status.engine_reason
        assert status.restarts == 0


class BrokenEngine(FakeEngine):
    """An engine with a bug."""

    name = "broken"

    def command(self, launch: Launch) -> list[str]:
        raise KeyError("threads")


async def test_a_broken_engine_is_passed_over(home: Path) -> None:
    async with serving(home, {"broken": BrokenEngine(), "fake": FakeEngine()}) as endpoints:
        await endpoints.deploy("echo")
        status = await endpoints.wait_ready("echo", 60)
        assert status.engine == "fake"
        assert "broken cannot start a worker: 'threads'" in (status.engine_reason or "")


async def test_a_model_that_no_engine_loads_says_why_and_is_tried_again(home: Path) -> None:
    engine = FakeEngine("--crash")
    async with serving(home, {"fake": engine}) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        with pytest.raises(Unavailable, match="exit status 1") as failed:
            await endpoints.wait_ready("echo", 60)
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
            await endpoints.wait_ready("echo", 60)
        engine.arguments.clear()
        assert (await endpoints.deploy("echo", engine="fake")).status is State.STARTING
        await endpoints.wait_ready("echo", 60)


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
        await endpoints.wait_ready("chat", 60)
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


@pytest.mark.parametrize(
    "error", [Unavailable("Could not get it: no network."), OSError(30, "no network here")]
)
async def test_a_pull_that_fails_is_a_failed_endpoint(home: Path, error: Exception) -> None:
    hub = SlowHub(home)
    hub.error = error
    hub.go.set()
    async with serving(home, hub=hub) as endpoints:
        await endpoints.deploy("smollm2-135m-instruct", name="chat", engine="fake")
        with pytest.raises(Unavailable, match="no network"):
            await endpoints.wait_ready("chat", 60)
        with pytest.raises(Unavailable, match=r"'chat' is not running: .*no network"):
            await hello(endpoints, "chat")
        hub.error = None
        status = await endpoints.deploy("smollm2-135m-instruct", name="chat", engine="fake")
        assert status.status is State.PULLING  # asked for again, it does not wait to try again
        await endpoints.wait_ready("chat", 60)


async def test_deleting_while_starting(home: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with serving(home, {"fake": FakeEngine("--gate", str(gate))}) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        await until(lambda: "fake worker on" in endpoints.logs("echo"))
        assert endpoints.status("echo").status is State.STARTING
        await endpoints.delete("echo")
    assert list((home / "processes").iterdir()) == []
