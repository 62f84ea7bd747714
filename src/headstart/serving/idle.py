"""Idleness: how many calls an endpoint is answering, and how long nobody has called it."""

from __future__ import annotations

import asyncio
import re
import time

from headstart.errors import BadRequest

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d+[smhd])+")
_PART = re.compile(r"(\d+)([smhd])")


def seconds(text: str) -> float | None:
    """ "30m" → 1800.0; "1h30m" → 5400.0; "90" → 90.0; "never" → None."""
    plain = text.strip().lower()
    if plain == "never":
        return None
    if plain.isdecimal():
        plain += "s"
    total = sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(plain))
    if not _DURATION.fullmatch(plain) or total <= 0:
        raise BadRequest(
            f"'{text}' is not a duration; write one such as '90s', '30m', '1h30m', or 'never'",
            param="idle_timeout",
        )
    return total


class Activity:
    """Counts the calls in flight on one event loop."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._last = time.monotonic()
        self._quiet = asyncio.Event()
        self._quiet.set()

    def enter(self) -> None:
        self.in_flight += 1
        self._quiet.clear()

    def leave(self) -> None:
        self.in_flight -= 1
        self._last = time.monotonic()
        if self.in_flight == 0:
            self._quiet.set()

    def touch(self) -> None:
        """Count the idle time from now."""
        self._last = time.monotonic()

    async def quiet(self) -> None:
        """Wait until no call is in flight."""
        await self._quiet.wait()

    async def idle_for(self, period: float) -> None:
        """Wait until there has been no call for `period` seconds.

        A call may come in before the waiter gets its turn: it must look at `in_flight`.
        """
        while True:
            await self._quiet.wait()
            left = self._last + period - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(left)
