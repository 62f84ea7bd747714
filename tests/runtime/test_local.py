"""Processes end when they are told to, and never outlive their server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from headstart.runtime.local import LocalRuntime

PYTHON = sys.executable
FOREVER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + FOREVER
WITH_CHILD = (
    "import subprocess, sys; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "print(child.pid, flush=True); child.wait()"
)


@pytest.fixture
def runtime(home: Path) -> LocalRuntime:
    return LocalRuntime(home / "processes")


@pytest.fixture
def log(home: Path) -> Path:
    return home / "logs" / "process.log"


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


def says(log: Path, text: str) -> bool:
    return log.exists() and text in log.read_text()


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_output_and_exit_status(runtime: LocalRuntime, log: Path) -> None:
    code = "import os, sys; print(os.environ['GREETING']); sys.exit('bad news')"
    process = await runtime.spawn([PYTHON, "-c", code], {"GREETING": "hello"}, log)
    assert await process.wait() == 1
    assert process.exit_status == 1
    assert log.read_text() == "hello\nbad news\n"
    assert process.memory_bytes() is None


async def test_a_program_that_is_not_there_says_so(runtime: LocalRuntime, log: Path) -> None:
    process = await runtime.spawn(["/no/such/program"], {}, log)
    assert await process.wait() == 1
    assert "cannot run /no/such/program: No such file" in log.read_text()


async def test_our_settings_are_not_handed_on(
    runtime: LocalRuntime, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTART_ADMIN_KEY", "hs-secret")
    process = await runtime.spawn([PYTHON, "-c", "import os; print(dict(os.environ))"], {}, log)
    await process.wait()
    assert "hs-secret" not in log.read_text()


async def test_terminate_is_enough_for_a_willing_process(
    runtime: LocalRuntime, log: Path, home: Path
) -> None:
    process = await runtime.spawn([PYTHON, "-c", FOREVER], {}, log)
    await until(lambda: says(log, "up"))
    assert process.exit_status is None
    assert (process.memory_bytes() or 0) > 1_000_000
    assert await process.stop(grace=20) == -signal.SIGTERM
    assert not running(process.pid)
    assert list((home / "processes").iterdir()) == []


async def test_a_stubborn_process_is_killed(runtime: LocalRuntime, log: Path) -> None:
    process = await runtime.spawn([PYTHON, "-c", STUBBORN], {}, log)
    await until(lambda: says(log, "up"))
    assert await process.stop(grace=0.1) == -signal.SIGKILL


async def test_children_end_with_their_parent(runtime: LocalRuntime, log: Path) -> None:
    process = await runtime.spawn([PYTHON, "-c", WITH_CHILD], {}, log)
    await until(lambda: says(log, "\n"))
    child = int(log.read_text())
    alone = psutil.Process(process.pid).memory_info().rss
    assert (process.memory_bytes() or 0) > alone * 1.2  # the child's memory counts too
    os.kill(process.pid, signal.SIGKILL)  # as the out-of-memory killer does
    await process.wait()
    await until(lambda: not running(child))


async def test_who_listens_on_a_port(runtime: LocalRuntime, log: Path) -> None:
    code = (
        "import socket, time; s = socket.create_server(('127.0.0.1', 0)); "
        "print(s.getsockname()[1], flush=True); time.sleep(600)"
    )
    process = await runtime.spawn([PYTHON, "-c", code], {}, log)
    await until(lambda: says(log, "\n"))
    port = int(log.read_text())
    assert process.listens_on(port)
    assert not process.listens_on(port + 1 if port < 65535 else port - 1)
    await process.stop(grace=5)
    assert not process.listens_on(port)


SERVER = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from headstart.runtime.local import LocalRuntime

    async def main():
        runtime = LocalRuntime(Path(sys.argv[1]))
        process = await runtime.spawn([sys.executable, "-c", sys.argv[3]], {}, Path(sys.argv[2]))
        print(process.pid, flush=True)
        await process.wait()

    asyncio.run(main())
    """
)


def start_server(home: Path, log: Path, worker: str) -> tuple[subprocess.Popen[str], int]:
    argv = [PYTHON, "-c", SERVER, str(home / "processes"), str(log), worker]
    server = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    pid = int(server.stdout.readline())
    server.stdout.close()
    return server, pid


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's leash is Linux's")
async def test_a_killed_server_takes_its_processes_along(home: Path, log: Path) -> None:
    server, pid = start_server(home, log, FOREVER)
    await until(lambda: says(log, "up"))
    server.kill()
    server.wait()
    await until(lambda: not running(pid))


async def test_what_a_killed_server_left_is_ended_at_the_next_start(
    runtime: LocalRuntime, home: Path, log: Path
) -> None:
    server, pid = start_server(home, log, WITH_CHILD)
    await until(lambda: says(log, "\n"))
    child = int(log.read_text())
    server.kill()
    server.wait()
    await until(lambda: not running(pid))
    assert running(child)  # the kernel's leash does not reach it
    assert await runtime.end_orphans() == 1
    assert not running(child)
    assert list((home / "processes").iterdir()) == []
    assert await runtime.end_orphans() == 0


async def test_another_process_with_the_same_pid_is_left_alone(
    runtime: LocalRuntime, home: Path
) -> None:
    stranger = subprocess.Popen([PYTHON, "-c", "import time; time.sleep(600)"], process_group=0)
    try:
        note = {"pid": stranger.pid, "started": 1.0, "mark": "of-another", "argv": ["worker"]}
        (home / "processes").mkdir(parents=True)
        (home / "processes" / f"{stranger.pid}.json").write_text(json.dumps(note))
        (home / "processes" / "1.json").write_text('{"pid": 1, "sta')  # cut short by a crash
        assert await runtime.end_orphans() == 0
        assert stranger.poll() is None
        assert list((home / "processes").iterdir()) == []
    finally:
        stranger.kill()
        stranger.wait()
