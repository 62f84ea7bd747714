"""Ingestion: what goes in, what is said about what does not, and what a crash leaves."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from headstart.errors import BadRequest, Unavailable
from headstart.knowledge.stores import Membership
from tests.knowledge.stub import HashEndpoint, Stack, running_stack
from tests.knowledge.test_index import entry

DOCUMENTS = Path(__file__).parents[3] / "shared" / "data" / "documents"

LONG = "\n\n".join(
    f"# Part {part}\n\n" + "\n\n".join(f"Sentence {n} of part {part} is short." for n in range(60))
    for part in range(30)
)


def upload(stack: Stack, name: str, content: bytes) -> str:
    return stack.files.create(name, io.BytesIO(content)).id


async def ingest(stack: Stack, *file_ids: str, **chunking: object) -> str:
    """A store with the files, all of them ingested."""
    store = stack.stores.create("s", stack.endpoint.name)
    joining = [Membership(file_id, {}, dict(chunking)) for file_id in file_ids]
    await stack.jobs.wait(await stack.knowledge.attach(store.id, joining))
    return store.id


def problems(stack: Stack, store_id: str) -> dict[str, tuple[str, str | None]]:
    members = stack.stores.members(store_id, limit=100).data
    return {member.file.filename: (member.row.status, member.row.error_code) for member in members}


async def rows(stack: Stack, store_id: str) -> list[tuple[str, str]]:
    """The keys of everything in the index, duplicates and all."""
    table = await stack.knowledge._indexes.of(store_id)._table()
    found = await table.query().select(["file_id", "id"]).to_arrow()
    return list(zip(found["file_id"].to_pylist(), found["id"].to_pylist(), strict=True))


async def test_a_file_goes_in_whole(home: Path) -> None:
    async with running_stack(home) as stack:
        store_id = await ingest(stack, upload(stack, "long.md", LONG.encode()))
        [member] = stack.stores.members(store_id).data
        assert (member.row.status, member.row.error) == ("completed", None)
        keys = await rows(stack, store_id)
        assert len(keys) == len(set(keys)) == member.row.chunks > 10
        assert stack.files.document(member.file.id).text.strip() == LONG.strip()
        [best, *_] = await stack.knowledge.search([store_id], "sentence 41 of part 17")
        assert LONG[best.start : best.end] == best.text
        assert best.headings[-1].startswith("Part")


async def test_bad_files_are_told_by_reason_and_the_rest_goes_in(home: Path) -> None:
    if not DOCUMENTS.exists():
        pytest.skip("the shared test documents are not here")
    names = [
        "pdf/encrypted_password.pdf",
        "pdf/scanned_ocr_test.pdf",
        "pdf/corrupt_truncated.pdf",
        "pdf/multi_page.pdf",
        "xlsx/test.xlsx",
    ]
    async with running_stack(home) as stack:
        ids = [upload(stack, Path(name).name, (DOCUMENTS / name).read_bytes()) for name in names]
        ids.append(upload(stack, "picture.png", b"\x89PNG\r\n\x1a\n" + bytes(100)))
        ids.append(upload(stack, "empty.txt", b""))
        store_id = await ingest(stack, *ids)
        found = problems(stack, store_id)
        assert found["encrypted_password.pdf"] == ("failed", "encrypted")
        assert found["scanned_ocr_test.pdf"] == ("failed", "no_text")
        assert found["corrupt_truncated.pdf"][0] == "failed"
        assert found["picture.png"] == ("failed", "unsupported")
        assert found["empty.txt"] == ("failed", "no_text")
        assert found["multi_page.pdf"] == found["test.xlsx"] == ("completed", None)
        error = stack.stores.member(store_id, ids[0]).row.error
        assert error is not None
        assert "encrypted_password.pdf" in error


async def test_a_model_that_fails_fails_the_file_and_leaves_no_part_of_it(home: Path) -> None:
    def fail_late(texts: list[str]) -> None:
        if any("part 29" in text for text in texts):
            raise BadRequest("no vectors for this")

    async with running_stack(home, HashEndpoint(before=fail_late)) as stack:
        store_id = await ingest(
            stack, upload(stack, "long.md", LONG.encode()), upload(stack, "ok.md", b"fine words")
        )
        assert problems(stack, store_id)["ok.md"] == ("completed", None)
        assert problems(stack, store_id)["long.md"][0] == "failed"
        assert len(await rows(stack, store_id)) == 1


async def test_the_same_bytes_twice_are_two_files_and_one_passage(home: Path) -> None:
    async with running_stack(home) as stack:
        ids = [upload(stack, name, b"The very same words.") for name in ("a.md", "b.md")]
        store_id = await ingest(stack, *ids)
        assert len(await rows(stack, store_id)) == 2
        assert len(await stack.knowledge.search([store_id], "same words")) == 1
        await stack.knowledge.delete_file(ids[0])
        [left] = await stack.knowledge.search([store_id], "same words")
        assert left.file_id == ids[1]


async def test_a_file_can_be_ingested_again_in_other_chunks(home: Path) -> None:
    async with running_stack(home) as stack:
        file_id = upload(stack, "long.md", LONG.encode())
        store_id = await ingest(stack, file_id)
        before = await rows(stack, store_id)
        static = {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 20}
        joining = Membership(file_id, {}, {"type": "static", "static": static})
        await stack.jobs.wait(await stack.knowledge.attach(store_id, [joining]))
        after = await rows(stack, store_id)
        assert len(after) > len(before)
        assert len(after) == len(set(after)) == stack.stores.member(store_id, file_id).row.chunks


async def test_chunks_that_the_model_cannot_take_in_are_refused(home: Path) -> None:
    async with running_stack(home) as stack:
        static = {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}
        store_id = await ingest(
            stack, upload(stack, "a.md", b"words"), type="static", static=static
        )
        [member] = stack.stores.members(store_id).data
        assert member.row.error_code == "chunk_too_large"
        assert "800" in str(member.row.error)
        assert "256" in str(member.row.error)


async def test_a_cancelled_batch_keeps_what_is_in_and_drops_what_is_not(home: Path) -> None:
    begun = asyncio.Event()

    def hold_slow_ones(texts: list[str]) -> object:
        if any("slow" in text for text in texts):
            begun.set()
            return asyncio.Event().wait()
        return None

    async with running_stack(home, HashEndpoint(before=hold_slow_ones)) as stack:
        quick = upload(stack, "quick.md", b"quick words")
        store_id = await ingest(stack, quick)
        slow = upload(stack, "slow.md", b"slow words")
        job_id = await stack.knowledge.attach(store_id, [Membership(slow, {}, {})], "vsfb_1")
        await begun.wait()
        await stack.knowledge.ingestion.cancel(job_id)
        assert stack.stores.statuses(store_id, [quick, slow]) == {
            quick: "completed",
            slow: "cancelled",
        }
        assert [file_id for file_id, _ in await rows(stack, store_id)] == [quick]


async def test_a_file_that_is_removed_while_it_goes_in_is_out(home: Path) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        begun.set()
        await release.wait()

    async with running_stack(home, HashEndpoint(before=lambda _texts: hold())) as stack:
        store = stack.stores.create("s", stack.endpoint.name)
        file_id = upload(stack, "a.md", b"words")
        job_id = await stack.knowledge.attach(store.id, [Membership(file_id, {}, {})])
        await begun.wait()
        await stack.knowledge.delete_file(file_id)
        release.set()
        assert (await stack.jobs.wait(job_id)).state == "completed"
        assert await rows(stack, store.id) == []


async def test_a_store_that_is_deleted_while_files_go_in_stays_deleted(home: Path) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        begun.set()
        await release.wait()

    async with running_stack(home, HashEndpoint(before=lambda _texts: hold())) as stack:
        store = stack.stores.create("s", stack.endpoint.name)
        file_id = upload(stack, "a.md", b"words")
        job_id = await stack.knowledge.attach(store.id, [Membership(file_id, {}, {})])
        await begun.wait()
        await stack.knowledge.delete_store(store.id)
        release.set()
        assert (await stack.jobs.wait(job_id)).is_over
        assert not list((home / "indexes").glob("*"))
        assert stack.files.get(file_id).filename == "a.md"


async def test_a_file_that_joined_before_its_job_was_written_down_goes_in(home: Path) -> None:
    async with running_stack(home) as stack:
        store = stack.stores.create("s", stack.endpoint.name)
        stack.stores.attach(store.id, [Membership(upload(stack, "a.md", b"words"), {}, {})])
        gone = stack.knowledge._indexes.of("vs_gone")
        await gone.upsert([entry("c1", "left behind")])
    async with running_stack(home) as stack:
        await stack.knowledge.resume()
        [job] = await stack.jobs.list("ingestion")
        await stack.jobs.wait(job.id)
        assert problems(stack, store.id) == {"a.md": ("completed", None)}
        assert not (home / "indexes" / "vs_gone.lance").exists()


async def test_one_file_in_two_jobs_is_ingested_once(home: Path) -> None:
    async with running_stack(home) as stack:
        store = stack.stores.create("s", stack.endpoint.name)
        joining = [Membership(upload(stack, "long.md", LONG.encode()), {}, {})]
        jobs = [await stack.knowledge.attach(store.id, joining) for _ in range(2)]
        for job_id in jobs:
            assert (await stack.jobs.wait(job_id)).state == "completed"
        keys = await rows(stack, store.id)
        sent = sum(len(request) for request in stack.endpoint.requests)
        assert len(keys) == len(set(keys)) == sent


async def test_a_small_upload_does_not_wait_for_a_large_batch(home: Path) -> None:
    def fail_if_late(_texts: list[str]) -> None:
        return None

    async with running_stack(home, HashEndpoint(before=fail_if_late)) as stack:
        store = stack.stores.create("s", stack.endpoint.name)
        many = [upload(stack, f"{n}.md", f"words of file {n}".encode()) for n in range(120)]
        batch = await stack.knowledge.attach(store.id, [Membership(each, {}, {}) for each in many])
        single = upload(stack, "single.md", b"a single file")
        job_id = await stack.knowledge.attach(store.id, [Membership(single, {}, {})])
        await stack.jobs.wait(job_id)
        assert not (await stack.jobs.status(batch)).is_over
        await stack.jobs.wait(batch)
        assert stack.stores.counts([store.id])[store.id]["completed"] == 121


async def test_the_event_loop_is_never_held_up(home: Path) -> None:
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.005)
            longest = max(longest, loop.time() - before - 0.005)

    async with running_stack(home) as stack:
        await ingest(stack, upload(stack, "first.md", b"opens the index and imports LanceDB"))
        watching = asyncio.create_task(watch())
        await ingest(stack, upload(stack, "long.md", (LONG * 4).encode()))
        watching.cancel()
    assert longest < 0.25  # 0.05 on an idle machine; the tests share theirs


KILLED = """
    import asyncio, io, os, sys
    from pathlib import Path
    from headstart.knowledge import ingestion
    from headstart.knowledge.index import Index
    from headstart.knowledge.stores import Membership, VectorStores
    from tests.knowledge.stub import HashEndpoint, running_stack

    home, step = Path(sys.argv[1]), sys.argv[2]
    files = [Path(each) for each in sys.argv[3:]]
    calls = 0

    def at(name, after):
        global calls
        if name == step:
            calls += 1
            if calls == after:
                print("here", flush=True)
                import time; time.sleep(600)

    def wrap(owner, method, name, after):
        inner = getattr(owner, method)
        async def wrapped(*args, **kwargs):
            result = await inner(*args, **kwargs)
            at(name, after)
            return result
        setattr(owner, method, wrapped)

    wrap(Index, "_write", "written", 2)
    change = VectorStores.change
    def changed(*args, **kwargs):
        at("before the row", 2)
        return change(*args, **kwargs)
    VectorStores.change = changed

    async def main():
        endpoint = HashEndpoint(before=lambda texts: at("embedding", 3))
        async with running_stack(home, endpoint) as stack:
            inner = stack.knowledge.ingestion._load
            def load(path, name):
                at("reading", 2)
                return inner(path, name)
            stack.knowledge.ingestion._load = load
            store = stack.stores.create("s", endpoint.name)
            ids = [stack.files.create(p.name, io.BytesIO(p.read_bytes())).id for p in files]
            await stack.knowledge.attach(store.id, [Membership(i, {}, {}) for i in ids])
            await asyncio.Event().wait()

    asyncio.run(main())
"""


@pytest.mark.parametrize("step", ["reading", "embedding", "written", "before the row"])
def test_a_server_killed_while_it_ingests_finishes_after_its_restart(
    home: Path, tmp_path: Path, step: str
) -> None:
    files = [tmp_path / f"{n}.md" for n in range(4)]
    for n, path in enumerate(files):
        path.write_text(f"# File {n}\n\n{LONG[: 20_000 * (n + 1)]}")
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(home), step, *map(str, files)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    try:
        with process.stdout:
            assert process.stdout.readline() == b"here\n"
    finally:
        process.kill()
        process.wait()

    async def go_on() -> None:
        async with running_stack(home) as stack:
            store = stack.stores.named("s")
            assert store is not None
            [job] = await stack.jobs.list("ingestion")
            assert (await stack.jobs.wait(job.id)).state == "completed"
            members = stack.stores.members(store.id).data
            assert {member.row.status for member in members} == {"completed"}
            counts = Counter(await rows(stack, store.id))
            assert set(counts.values()) == {1}
            assert len(counts) == sum(member.row.chunks for member in members)

    asyncio.run(go_on())


async def test_a_worker_that_dies_in_between_is_waited_for(home: Path) -> None:
    tries = 0

    def die_once(_texts: list[str]) -> None:
        nonlocal tries
        tries += 1
        if tries == 2:
            raise Unavailable("the worker was killed")

    async with running_stack(home, HashEndpoint(before=die_once)) as stack:
        store_id = await ingest(stack, upload(stack, "long.md", LONG.encode()))
        [member] = stack.stores.members(store_id).data
        assert member.row.status == "completed"
