"""`/v1/vector_stores` over HTTP, with the `openai` package where it can say it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headstart.security.principal import Role
from tests.api.knowledge_api import KnowledgeApi, serve_knowledge
from tests.knowledge.stub import HashEndpoint

LEAVE = "# Leave\n\nEmployees have thirty days of holiday a year.\n"
TRAVEL = "# Travel\n\nTrains are booked in second class.\n"


@pytest.fixture
async def api(home: Path) -> AsyncIterator[KnowledgeApi]:
    async with serve_knowledge(home) as api:
        yield api


async def upload(api: KnowledgeApi, name: str, text: str) -> str:
    return (await api.openai.files.create(file=(name, text.encode()), purpose="assistants")).id


async def store_with(api: KnowledgeApi, **files: str) -> str:
    """A store of that text per name, all of it ingested."""
    ids = [await upload(api, f"{name}.md", text) for name, text in files.items()]
    store = await api.openai.vector_stores.create(name="handbook")
    batch = await api.openai.vector_stores.file_batches.create_and_poll(
        store.id, file_ids=ids, poll_interval_ms=50
    )
    assert batch.file_counts.completed == len(ids)
    return store.id


async def test_the_life_of_a_store(api: KnowledgeApi) -> None:
    stores = api.openai.vector_stores
    created = await stores.create(name="a", metadata={"team": "hr"})
    assert (created.object, created.status, created.name) == ("vector_store", "completed", "a")
    assert created.file_counts.total == 0
    updated = await stores.update(created.id, name="b", metadata={"team": "it"})
    assert (updated.name, updated.metadata) == ("b", {"team": "it"})
    assert (await stores.retrieve(created.id)).name == "b"
    others = [(await stores.create(name=f"{n}")).id for n in range(3)]
    listed = [each.id async for each in stores.list(limit=2)]
    assert sorted(listed) == sorted([created.id, *others])
    assert (await stores.delete(created.id)).deleted
    response = await api.http.get(f"/v1/vector_stores/{created.id}")
    assert response.status_code == 404
    assert created.id in response.json()["error"]["message"]


async def test_files_go_in_and_passages_come_out(api: KnowledgeApi) -> None:
    store_id = await store_with(api, leave=LEAVE, travel=TRAVEL)
    page = await api.openai.vector_stores.search(store_id, query="days of holiday")
    best = page.data[0]
    assert best.filename == "leave.md"
    assert "thirty days" in best.content[0].text
    assert 0 < best.score <= 1
    extra = best.model_extra or {}
    assert extra["headings"] == ["Leave"]
    passage = (
        await api.http.get(f"/v1/vector_stores/{store_id}/chunks/{extra['chunk_id']}")
    ).json()
    assert passage["object"] == "passage"
    assert passage["text"] == best.content[0].text
    assert passage["before"] + passage["text"] + passage["after"] == LEAVE
    [file, _] = (await api.openai.vector_stores.files.list(store_id, order="asc")).data
    assert file.status == "completed"
    assert (file.model_extra or {})["headstart"]["chunks"] == 1
    content = await api.openai.vector_stores.files.content(file.id, vector_store_id=store_id)
    assert content.data[0].text == LEAVE


async def test_a_store_can_be_created_with_files(api: KnowledgeApi) -> None:
    file_id = await upload(api, "leave.md", LEAVE)
    store = await api.openai.vector_stores.create(file_ids=[file_id, file_id])
    file = await api.openai.vector_stores.files.poll(
        file_id, vector_store_id=store.id, poll_interval_ms=50
    )
    assert file.status == "completed"
    store = await api.openai.vector_stores.retrieve(store.id)
    assert (store.file_counts.completed, store.usage_bytes > 0) == (1, True)


async def test_attributes_filter_and_can_be_changed(api: KnowledgeApi) -> None:
    store_id = await store_with(api, leave=LEAVE)
    travel = await upload(api, "travel.md", TRAVEL)
    await api.openai.vector_stores.files.create_and_poll(
        travel,
        vector_store_id=store_id,
        attributes={"team": "it", "year": 2024},
        poll_interval_ms=50,
    )

    async def found(key: str, value: Any) -> list[str]:
        page = await api.openai.vector_stores.search(
            store_id, query="holiday", filters={"type": "eq", "key": key, "value": value}
        )
        return [hit.filename for hit in page.data]

    assert await found("team", "it") == ["travel.md"]
    changed = await api.openai.vector_stores.files.update(
        travel, vector_store_id=store_id, attributes={"team": "hr"}
    )
    assert changed.attributes == {"team": "hr"}
    assert await found("team", "it") == []
    assert await found("team", "hr") == ["travel.md"]


async def test_a_bad_file_says_why_in_both_languages(api: KnowledgeApi) -> None:
    store = await api.openai.vector_stores.create(name="s")
    picture = await api.openai.files.create(
        file=("p.png", b"\x89PNG\r\n\x1a\n" + bytes(64)), purpose="assistants"
    )
    file = await api.openai.vector_stores.files.create_and_poll(
        picture.id, vector_store_id=store.id, poll_interval_ms=50
    )
    assert file.status == "failed"
    assert file.last_error is not None
    assert file.last_error.code == "unsupported_file"
    assert "p.png" in file.last_error.message
    assert (file.model_extra or {})["error"]["code"] == "unsupported"
    failed = await api.openai.vector_stores.files.list(store.id, filter="failed")
    assert [each.id for each in failed.data] == [picture.id]


async def test_removing_a_file_takes_its_passages_along(api: KnowledgeApi) -> None:
    store_id = await store_with(api, leave=LEAVE, travel=TRAVEL)
    files = api.openai.vector_stores.files
    ids = {each.model_extra["filename"]: each.id async for each in files.list(store_id)}  # type: ignore[index]
    await files.delete(ids["leave.md"], vector_store_id=store_id)
    await api.openai.files.delete(ids["travel.md"])
    assert (await api.openai.vector_stores.search(store_id, query="holiday")).data == []
    assert (await api.openai.files.retrieve(ids["leave.md"])).filename == "leave.md"
    assert (await api.openai.vector_stores.retrieve(store_id)).file_counts.total == 0


async def test_a_sync_over_http(api: KnowledgeApi, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "leave.md").write_text(LEAVE)
    (docs / "empty.md").write_text("")
    store = await api.openai.vector_stores.create(name="s")
    url = f"/v1/vector_stores/{store.id}/sync"
    sync = (await api.http.post(url, json={"paths": [str(docs)]})).json()
    assert sync["object"] == "vector_store.sync"
    while sync["status"] == "in_progress":
        await asyncio.sleep(0.05)
        sync = (await api.http.get(f"{url}/{sync['id']}")).json()
    assert sync["status"] == "completed"
    assert sync["report"]["added"] == 1
    [failed] = sync["report"]["failed"]
    assert (failed["path"], failed["code"]) == (str(docs / "empty.md"), "no_text")
    seen = (await api.http.get(f"/v1/vector_stores/{store.id}")).json()
    assert seen["paths"] == [str(docs)]
    again = (await api.http.post(url, json={})).json()
    assert again["id"] != sync["id"]
    other = await api.openai.vector_stores.create(name="t")
    assert (
        await api.http.get(f"/v1/vector_stores/{other.id}/sync/{sync['id']}")
    ).status_code == 404
    nowhere = await api.http.post(url, json={"paths": [str(tmp_path / "none")]})
    assert nowhere.status_code == 400
    assert "none" in nowhere.json()["error"]["message"]


async def test_a_batch_can_be_cancelled(home: Path) -> None:
    begun = asyncio.Event()

    async def forever() -> None:
        begun.set()
        await asyncio.Event().wait()

    endpoint = HashEndpoint(before=lambda _texts: forever())
    async with serve_knowledge(home, endpoint) as api:
        store = await api.openai.vector_stores.create(name="s")
        ids = [await upload(api, f"{n}.md", LEAVE) for n in range(3)]
        batches = api.openai.vector_stores.file_batches
        batch = await batches.create(store.id, file_ids=ids)
        await begun.wait()
        assert (await batches.retrieve(batch.id, vector_store_id=store.id)).status == "in_progress"
        cancelled = await batches.cancel(batch.id, vector_store_id=store.id)
        assert (cancelled.status, cancelled.file_counts.cancelled) == ("cancelled", 3)
        listed = await batches.list_files(batch.id, vector_store_id=store.id, filter="cancelled")
        assert len(listed.data) == 3


WRONG: list[tuple[str, dict[str, Any], str | None]] = [
    (
        "",
        {"name": "a", "expires_after": {"anchor": "last_active_at", "days": 1}},
        "expires_after",
    ),
    ("", {"metadata": {"k" * 65: "v"}}, "metadata"),
    ("", {"file_ids": ["file-none"]}, "file_id"),
    ("/{id}/search", {}, "query"),
    ("/{id}/search", {"query": "  "}, "query"),
    ("/{id}/search", {"query": "a", "rewrite_query": True}, "rewrite_query"),
    ("/{id}/search", {"query": "a", "max_num_results": 51}, "max_num_results"),
    ("/{id}/search", {"query": "a", "ranking_options": {"ranker": "x"}}, "ranking_options"),
    ("/{id}/search", {"query": "a", "filters": {"type": "eq", "key": "a"}}, "filters"),
    ("/{id}/files", {"file_id": "file-none"}, "file_id"),
    ("/{id}/files", {"file_id": "x", "attributes": {"a": {"b": 1}}}, "attributes"),
    (
        "/{id}/files",
        {
            "file_id": "x",
            "chunking_strategy": {
                "type": "static",
                "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 150},
            },
        },
        "chunking_strategy",
    ),
    ("/{id}/file_batches", {}, None),
    ("/{id}/sync", {}, "paths"),
]


async def test_wrong_requests_are_refused_by_name(api: KnowledgeApi) -> None:
    store = await api.openai.vector_stores.create(name="s")
    for path, body, param in WRONG:
        response = await api.http.post(f"/v1/vector_stores{path.format(id=store.id)}", json=body)
        assert response.status_code in (400, 404), (path, body)
        assert str(response.json()["error"]["param"]).startswith(str(param)), (path, body)


async def test_odd_queries_are_answered(api: KnowledgeApi) -> None:
    store_id = await store_with(api, leave=LEAVE)
    for query in ['"', "😀", "a AND (", "x" * 100_000, "\0", "' OR 1=1 --"]:
        page = await api.openai.vector_stores.search(store_id, query=query)
        assert len(page.data) <= 1


async def test_several_queries_and_a_threshold(api: KnowledgeApi) -> None:
    store_id = await store_with(api, leave=LEAVE, travel=TRAVEL)
    page = await api.openai.vector_stores.search(
        store_id,
        query=["thirty days of holiday", "trains in second class"],
        ranking_options={"score_threshold": 0.4},
    )
    assert {hit.filename for hit in page.data} == {"leave.md", "travel.md"}
    nothing = await api.openai.vector_stores.search(
        store_id, query="quantum gravity", ranking_options={"score_threshold": 0.5}
    )
    assert nothing.data == []


async def test_members_search_and_do_not_write(api: KnowledgeApi) -> None:
    store_id = await store_with(api, leave=LEAVE)
    api.role = Role.MEMBER
    assert (await api.openai.vector_stores.search(store_id, query="holiday")).data
    for path in ("", f"/{store_id}", f"/{store_id}/sync", f"/{store_id}/file_batches"):
        body = {"paths": ["/"]} if path.endswith("sync") else {"name": "x"}
        response = await api.http.post(f"/v1/vector_stores{path}", json=body)
        assert response.status_code == 403
    assert (await api.http.delete(f"/v1/vector_stores/{store_id}")).status_code == 403
