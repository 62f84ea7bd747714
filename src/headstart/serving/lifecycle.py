"""The state of one endpoint, which others can wait on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from headstart.serving.status import Progress, State


class Lifecycle:
    """State, and the error that belongs to it. Changed and awaited on one event loop."""

    def __init__(self, state: State, show: Callable[[State], None]) -> None:
        self.state = state
        self.error: str | None = None
        self.progress: Progress | None = None
        self._show = show
        self._changed = asyncio.Event()

    def become(self, state: State, error: str | None = None) -> None:
        self.state = state
        self.error = error
        self._show(state)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def until(self, holds: Callable[[], bool], limit: float) -> bool:
        """Wait until `holds()`, asked again after every change. False after `limit` seconds."""
        try:
            async with asyncio.timeout(limit):
                while not holds():
                    await self._changed.wait()
        except TimeoutError:
            return holds()
        return True
