"""Vector stores: names, members and their states."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from headstart.errors import NotFound
from headstart.knowledge.files import Files
from headstart.knowledge.stores import Membership, VectorStores
from headstart.storage.database import Database
from headstart.storage.objects import Objects


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    database.migrate()
    return database


@pytest.fixture
def stores(database: Database) -> VectorStores:
    return VectorStores(database)


@pytest.fixture
def file_ids(database: Database, tmp_path: Path) -> list[str]:
    files = Files(database, Objects(str(tmp_path / "objects")), max_bytes=1000)
    return [files.create(f"{n}.md", io.BytesIO(b"x")).id for n in range(5)]


def join(*file_ids: str, path: str | None = None) -> list[Membership]:
    return [Membership(file_id, {"n": 1}, {}, path) for file_id in file_ids]


def test_a_store_is_found_by_id_and_name(stores: VectorStores) -> None:
    store = stores.create("handbook", "embeddings", metadata={"a": "b"})
    assert stores.get(store.id).attributes == {"a": "b"}
    found = stores.named("handbook")
    assert found is not None
    assert found.id == store.id
    assert stores.named("other") is None
    with pytest.raises(NotFound, match="vs_none"):
        stores.get("vs_none")


def test_changes_are_kept(stores: VectorStores) -> None:
    store = stores.create("a", "embeddings")
    stores.update(store.id, name="b", paths=["/docs"])
    changed = stores.get(store.id)
    assert (changed.name, changed.paths) == ("b", ["/docs"])


def test_members_and_counts(stores: VectorStores, file_ids: list[str]) -> None:
    store = stores.create("a", "embeddings")
    stores.attach(store.id, join(*file_ids))
    stores.change(store.id, file_ids[:2], status="completed", usage_bytes=10, chunks=1)
    stores.change(store.id, file_ids[2:3], status="failed", error_code="no_text", error="empty")
    assert stores.counts([store.id])[store.id] == {
        "in_progress": 2,
        "completed": 2,
        "failed": 1,
        "cancelled": 0,
        "total": 5,
        "usage_bytes": 20,
    }
    [failed] = stores.members(store.id, status="failed").data
    assert (failed.file.filename, failed.row.error) == ("2.md", "empty")
    assert stores.statuses(store.id, [file_ids[0], "file-none"]) == {file_ids[0]: "completed"}


def test_joining_again_starts_over(stores: VectorStores, file_ids: list[str]) -> None:
    store = stores.create("a", "embeddings")
    stores.attach(store.id, join(file_ids[0]))
    stores.change(store.id, file_ids[:1], status="failed", error_code="x", error="y")
    stores.attach(store.id, join(file_ids[0]))
    row = stores.member(store.id, file_ids[0]).row
    assert (row.status, row.error_code, row.error) == ("in_progress", None, None)


def test_members_come_in_pages_from_both_ends(stores: VectorStores, file_ids: list[str]) -> None:
    store = stores.create("a", "embeddings")
    stores.attach(store.id, join(*file_ids))
    everything = [m.file.id for m in stores.members(store.id, order="asc").data]
    first = stores.members(store.id, limit=2, order="asc")
    assert ([m.file.id for m in first.data], first.has_more) == (everything[:2], True)
    second = stores.members(store.id, limit=10, order="asc", after=everything[1])
    assert ([m.file.id for m in second.data], second.has_more) == (everything[2:], False)
    earlier = stores.members(store.id, limit=2, order="asc", before=everything[3])
    assert ([m.file.id for m in earlier.data], earlier.has_more) == (everything[1:3], True)


def test_nothing_joins_that_is_not_there(stores: VectorStores, file_ids: list[str]) -> None:
    store = stores.create("a", "embeddings")
    with pytest.raises(NotFound, match="file-none"):
        stores.attach(store.id, join(file_ids[0], "file-none"))
    assert stores.members(store.id).data == []
    with pytest.raises(NotFound, match="vs_none"):
        stores.attach("vs_none", join(file_ids[0]))
    with pytest.raises(NotFound, match=file_ids[0]):
        stores.member(store.id, file_ids[0])


def test_changing_tells_who_is_a_member_still(stores: VectorStores, file_ids: list[str]) -> None:
    store = stores.create("a", "embeddings")
    stores.attach(store.id, join(*file_ids))
    stores.detach(store.id, file_ids[0])
    assert stores.change(store.id, file_ids, status="completed") == 4
    assert stores.stores_of(file_ids[0]) == []
    assert stores.stores_of(file_ids[1]) == [store.id]


def test_synced_members_come_oldest_first(stores: VectorStores, file_ids: list[str]) -> None:
    store = stores.create("a", "embeddings")
    stores.attach(store.id, join(file_ids[0]))
    stores.attach(store.id, join(file_ids[1], path="/docs/a.md"))
    assert [member.file.id for member in stores.synced(store.id)] == [file_ids[1]]


def test_a_deleted_store_leaves_the_files(
    stores: VectorStores, file_ids: list[str], database: Database
) -> None:
    store = stores.create("a", "embeddings")
    stores.attach(store.id, join(*file_ids))
    stores.delete(store.id)
    assert stores.stores_of(file_ids[0]) == []
    with pytest.raises(NotFound):
        stores.delete(store.id)
