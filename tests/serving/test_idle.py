from __future__ import annotations

import asyncio
import time

import pytest

from headstart.errors import BadRequest
from headstart.serving.idle import Activity, seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("90s", 90), ("30m", 1800), ("1h30m", 5400), (" 1D ", 86400), ("never", None)],
)
def test_durations(text: str, value: float | None) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "soon", "-5m", "0", "0m", "1.5.2h", "5 minutes", "m"])
def test_what_is_no_duration_is_named(text: str) -> None:
    with pytest.raises(BadRequest, match="is not a duration"):
        seconds(text)


async def test_idleness_counts_from_the_last_call() -> None:
    activity = Activity()
    activity.enter()
    waiting = asyncio.create_task(activity.idle_for(0.05))
    done, _ = await asyncio.wait({waiting}, timeout=0.1)
    assert not done  # a call is in flight
    activity.enter()
    activity.leave()
    assert activity.in_flight == 1
    activity.leave()
    left = time.monotonic()
    await waiting
    assert time.monotonic() - left >= 0.04


async def test_quiet_is_when_the_last_call_ends() -> None:
    activity = Activity()
    await activity.quiet()
    activity.enter()
    activity.enter()
    waiting = asyncio.create_task(activity.quiet())
    activity.leave()
    await asyncio.sleep(0)
    assert not waiting.done()
    activity.leave()
    await waiting
