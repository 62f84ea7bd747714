"""The service: deploying, names, what is kept, deleting."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from headstart.errors import BadRequest, Conflict, NotFound
from headstart.serving.endpoints import default_name
from headstart.serving.status import State
from tests.serving.fakes import (
    FakeEngine,
    hello,
    running,
    serving,
)


async def test_deploy_chat_delete(home: Path) -> None:
    async with serving(home) as endpoints:
        status = await endpoints.deploy("echo", engine="fake", idle_timeout=3600)
        assert status.status in (State.PULLING, State.STARTING)
        assert status.id.startswith("ep_")
        status = await endpoints.wait_ready("echo", 60)
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
        pid = (await endpoints.wait_ready("chat", 60)).pid
    assert not running(pid)
    engine = FakeEngine()
    async with serving(home, {"fake": engine}) as endpoints:
        assert (await endpoints.wait_ready("chat", 60)).id == status.id
        assert engine.launches[0].threads == 1
        assert await hello(endpoints, "chat") == "Hello"


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", "ä", "x" * 65, "../up"])
async def test_names_that_cannot_be(home: Path, name: str) -> None:
    async with serving(home) as endpoints:
        with pytest.raises(BadRequest, match="cannot name an endpoint"):
            await endpoints.deploy("echo", name=name or " ", engine="fake")


@pytest.mark.parametrize(
    ("option", "value"),
    [("threads", "many"), ("threads", 0), ("threads", True), ("force", 1), ("variant", 4)],
)
async def test_options_that_cannot_be(home: Path, option: str, value: object) -> None:
    async with serving(home) as endpoints:
        with pytest.raises(BadRequest, match=f"option '{option}'"):
            await endpoints.deploy("echo", engine="fake", options={option: value})


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


async def test_following_logs(home: Path) -> None:
    async with serving(home) as endpoints:
        await endpoints.deploy("echo", engine="fake")
        await endpoints.wait_ready("echo", 60)
        text, position = endpoints.logs_tail("echo", 1)
        assert text.startswith("fake worker on")
        await hello(endpoints, "echo")
        text, position = endpoints.logs_after("echo", position)
        assert text.startswith("request ")
        assert endpoints.logs_after("echo", position) == ("", position)
