"""Sync: a store is what its folder is, and nothing is touched that did not change."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headstart.errors import BadRequest, Unavailable
from headstart.knowledge.stores import Membership
from headstart.knowledge.sync import SyncReport
from tests.knowledge.stub import HashEndpoint, Stack, running_stack


@pytest.fixture
async def stack(home: Path) -> AsyncIterator[Stack]:
    async with running_stack(home) as stack:
        yield stack


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "guide").mkdir(parents=True)
    (folder / "a.md").write_text("alpha words")
    (folder / "b.txt").write_text("beta words")
    (folder / "guide" / "c.md").write_text("gamma words")
    return folder


def numbers(report: SyncReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.removed


async def texts(stack: Stack, name: str = "kb") -> set[str]:
    """The text of all passages of the knowledge."""
    [store_id] = await stack.knowledge.store_ids([name])
    table = await stack.knowledge._indexes.of(store_id)._table()
    return set((await table.query().select(["text"]).to_arrow())["text"].to_pylist())


def sent(stack: Stack) -> int:
    """Texts that were embedded since the last call."""
    count = sum(len(request) for request in stack.endpoint.requests)
    stack.endpoint.requests.clear()
    return count


async def test_a_sync_follows_the_folder(stack: Stack, docs: Path) -> None:
    assert numbers(await stack.knowledge.sync("kb", [str(docs)])) == (3, 0, 0, 0)
    assert sent(stack) == 3

    assert numbers(await stack.knowledge.sync("kb", [str(docs)])) == (0, 0, 3, 0)
    assert sent(stack) == 0

    (docs / "a.md").write_text("alpha words, and more of them")
    (docs / "b.txt").unlink()
    (docs / "d.md").write_text("delta words")
    assert numbers(await stack.knowledge.sync("kb", [str(docs)])) == (1, 1, 1, 1)
    assert sent(stack) == 2
    assert await texts(stack) == {"alpha words, and more of them", "gamma words", "delta words"}
    assert len(list((Path(stack.objects.url) / "files").iterdir())) == 3
    assert len(list((Path(stack.objects.url) / "texts").iterdir())) == 3


async def test_a_touched_file_is_not_read_again(stack: Stack, docs: Path) -> None:
    await stack.knowledge.sync("kb", [str(docs)])
    sent(stack)
    os.utime(docs / "a.md", (1, 1))
    assert numbers(await stack.knowledge.sync("kb", [str(docs)])) == (0, 0, 3, 0)
    assert sent(stack) == 0


async def test_the_same_size_and_another_content_is_noticed(stack: Stack, docs: Path) -> None:
    await stack.knowledge.sync("kb", [str(docs)])
    (docs / "a.md").write_text("ALPHA words")
    os.utime(docs / "a.md", ns=(1, 1))
    assert numbers(await stack.knowledge.sync("kb", [str(docs)])) == (0, 1, 2, 0)


async def test_files_are_named_by_their_path_in_the_folder(stack: Stack, docs: Path) -> None:
    await stack.knowledge.sync("kb", [str(docs), str(docs / "a.md")])
    [store_id] = await stack.knowledge.store_ids(["kb"])
    members = stack.stores.members(store_id).data
    assert {m.file.filename for m in members} == {"a.md", "b.txt", "guide/c.md"}
    assert {m.row.path for m in members} == {
        str(docs / name) for name in ("a.md", "b.txt", "guide/c.md")
    }


async def test_what_belongs_to_tools_is_passed_over(stack: Stack, docs: Path) -> None:
    for name in (".git/config", "node_modules/x/readme.md", ".hidden.md", "guide/.DS_Store"):
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text("not for reading")
    (docs / "link.md").symlink_to(docs / "a.md")
    (docs / "loop").symlink_to(docs, target_is_directory=True)
    report = await stack.knowledge.sync("kb", [str(docs)])
    assert numbers(report) == (3, 0, 0, 0)
    assert (report.failed, report.skipped) == ([], [])


async def test_bad_files_are_named_and_the_rest_goes_in(stack: Stack, docs: Path) -> None:
    (docs / "cut.pdf").write_bytes(b"%PDF-1.7\n1 0 obj")
    (docs / "empty.md").write_bytes(b"")
    (docs / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    with (docs / "huge.txt").open("wb") as huge:
        huge.truncate(200 * 2**20)
    for _ in range(2):
        report = await stack.knowledge.sync("kb", [str(docs)])
        codes = {Path(each.path).name: each.code for each in report.failed}
        assert codes.pop("cut.pdf") in ("truncated", "invalid")
        assert codes == {"empty.md": "no_text", "huge.txt": "too_large"}
        assert [Path(each.path).name for each in report.skipped] == ["picture.png"]
        assert all(Path(each.path).name in each.reason for each in report.failed)
    assert numbers(report) == (0, 0, 3, 0)


async def test_a_file_that_went_bad_leaves(stack: Stack, docs: Path) -> None:
    await stack.knowledge.sync("kb", [str(docs)])
    (docs / "a.md").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    (docs / "b.txt").write_bytes(b"%PDF-1.7\n1 0 obj")
    report = await stack.knowledge.sync("kb", [str(docs)])
    assert (len(report.failed), len(report.skipped)) == (1, 1)
    assert await texts(stack) == {"gamma words"}


async def test_a_failure_of_ours_keeps_the_old_version_and_is_tried_again(
    home: Path, docs: Path
) -> None:
    broken = False

    def fail(_texts: list[str]) -> None:
        if broken:
            raise RuntimeError("out of order")

    async with running_stack(home, HashEndpoint(before=fail)) as stack:
        await stack.knowledge.sync("kb", [str(docs)])
        (docs / "a.md").write_text("alpha, second edition")
        broken = True
        report = await stack.knowledge.sync("kb", [str(docs)])
        assert [each.code for each in report.failed] == ["server_error"]
        assert "alpha words" in await texts(stack)
        broken = False
        assert numbers(await stack.knowledge.sync("kb", [str(docs)])) == (0, 1, 2, 0)
        assert await texts(stack) == {"alpha, second edition", "beta words", "gamma words"}


async def test_two_syncs_at_once_do_the_work_once(stack: Stack, docs: Path) -> None:
    first, second = await asyncio.gather(
        stack.knowledge.sync("kb", [str(docs)]), stack.knowledge.sync("kb", [str(docs)])
    )
    assert numbers(first)[0] + numbers(second)[0] == 3
    assert numbers(first)[2] + numbers(second)[2] == 3
    assert sent(stack) == 3
    assert len(stack.stores.list().data) == 1


async def test_a_folder_that_is_not_there_deletes_nothing(stack: Stack, docs: Path) -> None:
    await stack.knowledge.sync("kb", [str(docs)])
    docs.rename(docs.with_name("elsewhere"))
    with pytest.raises(BadRequest, match="docs' is not there"):
        await stack.knowledge.sync("kb", [str(docs)])
    assert len(await texts(stack)) == 3


async def test_other_paths_take_the_place_of_the_old_ones(stack: Stack, docs: Path) -> None:
    await stack.knowledge.sync("kb", [str(docs)])
    assert numbers(await stack.knowledge.sync("kb", [str(docs / "guide")])) == (0, 0, 1, 2)
    assert await texts(stack) == {"gamma words"}


async def test_relative_paths_are_refused(stack: Stack) -> None:
    with pytest.raises(BadRequest, match="not an absolute path"):
        await stack.knowledge.sync("kb", ["docs"])


async def test_what_cannot_be_read_stays_as_it_was(
    stack: Stack, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stack.knowledge.sync("kb", [str(docs)])
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("guide"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = await stack.knowledge.sync("kb", [str(docs)])
    assert [(each.path, each.code) for each in report.failed] == [
        (str(docs / "guide"), "unreadable")
    ]
    assert numbers(report) == (0, 0, 2, 0)
    assert "gamma words" in await texts(stack)


async def test_a_full_disk_fails_the_file_and_not_the_sync(
    stack: Stack, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = stack.files.keep

    def full_for_one(filename: str, *args: object) -> object:
        if filename == "a.md":
            raise Unavailable("No space left", code="storage_full")
        return keep(filename, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(stack.files, "keep", full_for_one)
    report = await stack.knowledge.sync("kb", [str(docs)])
    assert [(Path(each.path).name, each.code) for each in report.failed] == [
        ("a.md", "storage_full")
    ]
    assert report.added == 2


async def test_uploads_into_the_same_store_are_left_alone(stack: Stack, docs: Path) -> None:
    await stack.knowledge.sync("kb", [str(docs)])
    [store_id] = await stack.knowledge.store_ids(["kb"])
    uploaded = stack.files.create("u.md", io.BytesIO(b"uploaded words"))
    await stack.jobs.wait(await stack.knowledge.attach(store_id, [Membership(uploaded.id, {}, {})]))
    await stack.knowledge.sync("kb", [str(docs / "guide")])
    assert await texts(stack) == {"gamma words", "uploaded words"}


async def test_a_deleted_store_takes_what_its_syncs_brought_along(stack: Stack, docs: Path) -> None:
    await stack.knowledge.sync("kb", [str(docs)])
    [store_id] = await stack.knowledge.store_ids(["kb"])
    await stack.knowledge.delete_store(store_id)
    assert stack.files.list().data == []
    assert not list((Path(stack.objects.url) / "files").iterdir())
    assert (docs / "a.md").exists()
