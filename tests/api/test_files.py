"""`/v1/files` over HTTP, with the `openai` package where it can say it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headstart.security.principal import Role
from tests.api.knowledge_api import KnowledgeApi, serve_knowledge


@pytest.fixture
async def api(home: Path) -> AsyncIterator[KnowledgeApi]:
    async with serve_knowledge(home, max_upload_bytes=100_000) as api:
        yield api


async def test_a_file_goes_up_and_comes_down(api: KnowledgeApi) -> None:
    data = bytes(range(256)) * 300
    uploaded = await api.openai.files.create(file=("../notes/a b.md", data), purpose="user_data")
    assert (uploaded.filename, uploaded.bytes, uploaded.purpose) == (
        "notes/a b.md",
        len(data),
        "user_data",
    )
    assert (await api.openai.files.retrieve(uploaded.id)).id == uploaded.id
    content = await api.openai.files.content(uploaded.id)
    assert content.content == data
    assert content.response.headers["content-type"] == "application/octet-stream"
    assert content.response.headers["content-disposition"].startswith("attachment")
    deleted = await api.openai.files.delete(uploaded.id)
    assert deleted.deleted
    assert (await api.http.get(f"/v1/files/{uploaded.id}")).status_code == 404


async def test_lists_page_through(api: KnowledgeApi) -> None:
    ids = [
        (await api.openai.files.create(file=(f"{n}.txt", b"x"), purpose="assistants")).id
        for n in range(5)
    ]
    listed = [each.id async for each in api.openai.files.list(limit=2)]
    assert listed == ids[::-1]
    assert [each.id async for each in api.openai.files.list(purpose="batch")] == []


@pytest.mark.parametrize("declared", [True, False])
async def test_too_large_is_refused_before_it_is_stored(api: KnowledgeApi, declared: bool) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        + bytes(300_000)
        + b"\r\n--b--\r\n"
    )

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    response = await api.http.post(
        "/v1/files",
        content=body if declared else pieces(),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "too_large"
    assert "100000" in response.json()["error"]["message"]
    assert (await api.http.get("/v1/files")).json()["data"] == []


async def test_just_over_the_limit_is_refused_too(api: KnowledgeApi) -> None:
    files = {"file": ("a.txt", bytes(100_001))}
    response = await api.http.post("/v1/files", files=files, data={"purpose": "assistants"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "too_large")


@pytest.mark.parametrize(
    ("files", "data", "param"),
    [
        ({"file": ("a", b"x")}, {}, "purpose"),
        ({"file": ("a", b"x")}, {"purpose": "fun"}, "purpose"),
        ({"other": ("a", b"x")}, {"purpose": "assistants"}, "other"),
        (
            {"file": ("a", b"x")},
            {"purpose": "assistants", "expires_after[seconds]": "60"},
            "expires_after[seconds]",
        ),
        (None, {"purpose": "assistants", "file": "text"}, None),
    ],
)
async def test_wrong_forms_are_refused_by_name(
    api: KnowledgeApi, files: dict[str, tuple[str, bytes]], data: dict[str, str], param: str | None
) -> None:
    response = await api.http.post("/v1/files", files=files, data=data)
    assert response.status_code == 400
    if param is not None:
        assert response.json()["error"]["param"] == param


async def test_a_body_that_is_no_form_is_refused(api: KnowledgeApi) -> None:
    response = await api.http.post(
        "/v1/files",
        content=b"garbage",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert response.status_code == 400
    assert (await api.http.post("/v1/files", json={"purpose": "x"})).status_code == 400


async def test_members_read_and_do_not_write(api: KnowledgeApi) -> None:
    uploaded = await api.openai.files.create(file=("a.txt", b"x"), purpose="assistants")
    api.role = Role.MEMBER
    assert (await api.http.get(f"/v1/files/{uploaded.id}/content")).content == b"x"
    assert (await api.http.delete(f"/v1/files/{uploaded.id}")).status_code == 403
    files = {"file": ("a.txt", b"x")}
    response = await api.http.post("/v1/files", files=files, data={"purpose": "assistants"})
    assert response.status_code == 403
