"""A real server process for tests: `headstart up` on a home of its own and a free port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

ADMIN_KEY = "hs-test-admin-key-0123456789"
START_SECONDS = 90


@dataclass
class RunningServer:
    """A server that was started by a test; `kill` is what a crash does to it."""

    home: Path
    process: subprocess.Popen[bytes]
    url: str
    key: str = ADMIN_KEY

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    def http(self) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise


@contextmanager
def running_server(
    home: Path,
    declaration: str = "",
    *,
    models: Path | None = None,
    ready: bool = True,
    environment: dict[str, str] | None = None,
) -> Iterator[RunningServer]:
    """Run `headstart up` over `declaration` (the text of a headstart.toml) until the block ends.

    models: a model store to use instead of an empty one. ready: wait until every endpoint answers
    and everything that the declaration names is there.
    """
    home.mkdir(parents=True, exist_ok=True)
    if models is not None and not (home / "models").exists():
        (home / "models").symlink_to(models, target_is_directory=True)
    config = home / "headstart.toml"
    config.write_text(declaration)
    (home / "server.json").unlink(missing_ok=True)
    env = {
        **os.environ,
        "HEADSTART_HOME": str(home),
        "HEADSTART_ADMIN_KEY": ADMIN_KEY,
        **(environment or {}),
    }
    log = (home / "server.log").open("ab")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "headstart", "up"),
            *("--config", str(config), "--port", "0", "--no-browser"),
        ],
        env=env,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        server = RunningServer(home, process, _address(home, process))
        if ready:
            _wait_until_ready(server)
        yield server
        server.stop()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        log.close()


def _address(home: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return str(json.loads((home / "server.json").read_text())["address"])
        except (OSError, ValueError, KeyError):
            time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{(home / 'server.log').read_text()}")


def _wait_until_ready(server: RunningServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    with server.http() as http:
        while time.monotonic() < deadline and server.process.poll() is None:
            try:
                if http.get("/health/ready").status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.1)
    raise AssertionError(f"not ready:\n{(server.home / 'server.log').read_text()}")


def eventually(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until `condition` holds; fails with `what` when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
