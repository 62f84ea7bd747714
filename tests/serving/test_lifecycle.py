from __future__ import annotations

import asyncio

from headstart.serving.lifecycle import Lifecycle
from headstart.serving.status import State


async def test_every_waiter_sees_every_change() -> None:
    shown: list[State] = []
    life = Lifecycle(State.PULLING, shown.append)
    ready = [
        asyncio.create_task(life.until(lambda: life.state is State.READY, 5)) for _ in range(3)
    ]
    await asyncio.sleep(0)
    life.become(State.STARTING, "it crashed")
    errors = [life.error]
    await asyncio.sleep(0)
    assert not any(task.done() for task in ready)
    life.become(State.READY)
    errors.append(life.error)
    assert errors == ["it crashed", None]
    assert await asyncio.gather(*ready) == [True] * 3
    assert shown == [State.STARTING, State.READY]


async def test_waiting_has_an_end() -> None:
    life = Lifecycle(State.PULLING, lambda _: None)
    assert not await life.until(lambda: life.state is State.READY, 0.01)
    assert await life.until(lambda: True, 0)
