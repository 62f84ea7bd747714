"""Durable jobs: they survive a crash and a stop, can be cancelled, and say how far they are."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from headstart.errors import BadRequest, NotFound
from headstart.storage.jobs import Job, JobFunction, Jobs


@asynccontextmanager
async def running(home: Path, **kinds: JobFunction) -> AsyncIterator[Jobs]:
    home.mkdir(exist_ok=True)
    jobs = Jobs.beside(home, None)
    for kind, function in kinds.items():
        jobs.register(kind, function)
    await jobs.start()
    try:
        yield jobs
    finally:
        await jobs.stop()


async def _double(job: Job) -> Any:
    return {"twice": job.arguments["number"] * 2}


async def test_a_job_runs_and_its_result_is_kept(home: Path) -> None:
    async with running(home, double=_double) as jobs:
        job_id = await jobs.submit("double", {"number": 21})
        status = await jobs.wait(job_id)
        assert (status.state, status.result, status.kind) == ("completed", {"twice": 42}, "double")
        assert status.arguments == {"number": 21}
    async with running(home, double=_double) as jobs:
        assert (await jobs.status(job_id)).result == {"twice": 42}
        assert [found.id for found in await jobs.list("double")] == [job_id]


async def test_an_id_starts_one_job_only(home: Path) -> None:
    runs: list[str] = []

    async def count(job: Job) -> None:
        runs.append(job.id)

    async with running(home, count=count) as jobs:
        await asyncio.gather(*(jobs.submit("count", {}, "job_one") for _ in range(5)))
        await jobs.wait("job_one")
    assert runs == ["job_one"]


async def test_a_failure_is_kept_with_its_reason(home: Path) -> None:
    async def fail(_job: Job) -> None:
        raise BadRequest("the value 7 is too odd")

    async with running(home, fail=fail) as jobs:
        status = await jobs.wait(await jobs.submit("fail", {}))
    assert status.state == "failed"
    assert "the value 7 is too odd" in (status.error or "")


async def test_progress_and_cancel(home: Path) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless(job: Job) -> None:
        job.report(3, 10)
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with running(home, endless=endless) as jobs:
        job_id = await jobs.submit("endless", {})
        await begun.wait()
        status = await jobs.status(job_id)
        assert (status.state, status.done, status.total) == ("in_progress", 3, 10)
        assert (await jobs.cancel(job_id)).state == "cancelled"
        assert ended.is_set()
        assert (await jobs.cancel(job_id)).state == "cancelled"
    begun.clear()
    async with running(home, endless=endless) as jobs:
        assert (await jobs.status(job_id)).state == "cancelled"
        assert not begun.is_set()


async def test_a_stop_interrupts_and_the_next_start_goes_on(home: Path) -> None:
    begun = asyncio.Event()

    async def wait_forever(_job: Job) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def finish(_job: Job) -> str:
        return "done in the second life"

    async with running(home, work=wait_forever) as jobs:
        job_id = await jobs.submit("work", {})
        await begun.wait()
    async with running(home, work=finish) as jobs:
        assert (await jobs.wait(job_id)).result == "done in the second life"


async def test_a_killed_process_leaves_jobs_that_the_next_one_finishes(home: Path) -> None:
    home.mkdir()
    script = """
        import asyncio, sys
        from pathlib import Path
        from headstart.storage.jobs import Jobs

        async def hang(job):
            print("begun", flush=True)
            await asyncio.Event().wait()

        async def main():
            jobs = Jobs.beside(Path(sys.argv[1]), None)
            jobs.register("work", hang)
            await jobs.start()
            await jobs.submit("work", {"number": 4}, "job_killed")
            await asyncio.Event().wait()

        asyncio.run(main())
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(home)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process.stdout:
        assert await asyncio.to_thread(process.stdout.readline) == b"begun\n"
        process.kill()
        process.wait()
    async with running(home, work=_double) as jobs:
        assert (await jobs.wait("job_killed")).result == {"twice": 8}


async def test_a_kind_with_a_concurrency_queues(home: Path) -> None:
    home.mkdir()
    at_once, most = 0, 0
    release = asyncio.Event()

    async def careful(_job: Job) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await release.wait()
        at_once -= 1

    jobs = Jobs.beside(home, None)
    jobs.register("careful", careful, concurrency=1)
    await jobs.start()
    try:
        ids = [await jobs.submit("careful", {}) for _ in range(2)]
        release.set()
        assert [(await jobs.wait(job_id)).state for job_id in ids] == ["completed"] * 2
        assert most == 1
    finally:
        await jobs.stop()


async def test_old_jobs_are_forgotten_and_running_ones_are_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def wait_forever(_job: Job) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with running(home, double=_double, work=wait_forever) as jobs:
        over = await jobs.submit("double", {"number": 1})
        await jobs.wait(over)
        going_on = await jobs.submit("work", {})
        await begun.wait()
    monkeypatch.setattr("headstart.storage.jobs.KEPT", timedelta(0))
    async with running(home, double=_double, work=_double) as jobs:
        with pytest.raises(NotFound, match=over):
            await jobs.status(over)
        assert (await jobs.status(going_on)).id == going_on


async def test_unknown_jobs_and_kinds_are_refused(home: Path) -> None:
    async with running(home) as jobs:
        with pytest.raises(NotFound, match="job_none"):
            await jobs.status("job_none")
        with pytest.raises(NotFound, match="job_none"):
            await jobs.cancel("job_none")
        with pytest.raises(ValueError, match="nonsense"):
            await jobs.submit("nonsense", {})


async def test_nothing_is_printed(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with running(home, double=_double) as jobs:
        await jobs.wait(await jobs.submit("double", {"number": 1}))
    assert capfd.readouterr() == ("", "")
