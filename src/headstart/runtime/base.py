"""Where processes run: started, watched, ended. Other runtimes (a cluster) share this interface."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path


class Process(ABC):
    """A started process and everything that it starts in turn."""

    pid: int

    @property
    @abstractmethod
    def exit_status(self) -> int | None:
        """None while it runs; as in `subprocess`, -N after signal N."""

    @abstractmethod
    async def wait(self) -> int:
        """Its exit status once it has ended, its children with it. Any number may wait."""

    @abstractmethod
    def terminate(self) -> None:
        """Ask it to end. Does nothing once it has ended."""

    @abstractmethod
    def kill(self) -> None:
        """End it at once, its children included. Safe to repeat."""

    @abstractmethod
    def memory_bytes(self) -> int | None:
        """Resident memory, children included; None once it has ended."""

    @abstractmethod
    def listens_on(self, port: int) -> bool:
        """Whether it, or a child of it, is the one that listens on this loopback port."""

    async def stop(self, grace: float) -> int:
        """Terminate it, and kill it when it has not ended after `grace` seconds."""
        self.terminate()
        try:
            return await asyncio.wait_for(self.wait(), grace)
        except TimeoutError:
            self.kill()
            return await self.wait()


class Runtime(ABC):
    """A place to run processes in."""

    @abstractmethod
    async def spawn(self, argv: Sequence[str], env: Mapping[str, str], log_path: Path) -> Process:
        """Start `argv`; what it prints is appended to `log_path`.

        `env` is added to this process's environment. Raises `OSError` when it cannot be started.
        """

    @abstractmethod
    async def end_orphans(self) -> int:
        """End what an earlier, killed server left running; how many there were."""
