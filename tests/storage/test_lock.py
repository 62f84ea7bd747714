"""One server per home, whatever happened to the one before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headstart import __version__
from headstart.errors import Conflict, SettingsError
from headstart.storage.lock import HomeLock, running_server

SERVER = """
import sys
from pathlib import Path
from headstart.storage.lock import HomeLock
lock = HomeLock(Path(sys.argv[1]))
lock.acquire()
if len(sys.argv) > 2:
    lock.publish(sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
lock.release()
"""


@contextmanager
def other_server(home: Path, *address: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(home), *address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_second_server_is_told_who_was_first(home: Path) -> None:
    with other_server(home, "http://127.0.0.1:8123") as first:
        with pytest.raises(Conflict, match=rf"pid {first.pid}, at http://127\.0\.0\.1:8123"):
            HomeLock(home).acquire()
        server = running_server(home)
    assert server is not None
    assert (server.pid, server.address) == (first.pid, "http://127.0.0.1:8123")
    assert server.version == __version__


def test_a_server_that_does_not_listen_yet_is_named_too(home: Path) -> None:
    with other_server(home) as first:
        with pytest.raises(Conflict, match=f"pid {first.pid}, still starting"):
            HomeLock(home).acquire()
        assert running_server(home) is None


def test_a_killed_server_blocks_nobody(home: Path) -> None:
    with other_server(home, "http://127.0.0.1:8123") as first:
        first.kill()
        first.wait()
    assert (home / "server.json").exists()
    assert running_server(home) is None
    with HomeLock(home):
        assert not (home / "server.json").exists()


def test_release_lets_the_next_one_in(home: Path) -> None:
    lock = HomeLock(home)
    for port in (1, 2):
        lock.acquire()
        lock.publish(f"http://127.0.0.1:{port}")
        server = running_server(home)
        assert server is not None
        assert (server.pid, server.address) == (os.getpid(), f"http://127.0.0.1:{port}")
        lock.release()
        assert running_server(home) is None
    lock.release()


def test_looking_does_not_keep_a_server_from_starting(home: Path) -> None:
    with HomeLock(home):
        pass
    looking = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from headstart.storage.lock import *\n"
            "print('ready', flush=True)\n"
            "for _ in range(2000): running_server(Path(sys.argv[1]))",
            str(home),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    with looking:
        assert looking.stdout is not None
        looking.stdout.readline()
        for _ in range(20):
            with HomeLock(home):
                pass
        looking.kill()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', json.dumps({"other": 1})])
def test_a_damaged_server_file_is_no_server(home: Path, content: str) -> None:
    with HomeLock(home):
        (home / "server.json").write_text(content)
        assert running_server(home) is None


def test_a_home_that_never_was_has_no_server(home: Path) -> None:
    assert running_server(home) is None
    assert not home.exists()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"cannot use .*/file/home as home"):
        HomeLock(tmp_path / "file" / "home").acquire()
