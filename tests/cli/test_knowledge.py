"""`headstart knowledge` against real routes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from headstart.cli.knowledge import app
from headstart.errors import BadRequest, NotFound
from tests.api.knowledge_api import KnowledgeApi, serve_knowledge


@pytest.fixture
async def api(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KnowledgeApi]:
    async with serve_knowledge(home) as api:
        monkeypatch.setenv("HEADSTART_URL", str(api.http.base_url))
        monkeypatch.setenv("HEADSTART_API_KEY", "hs-test")
        monkeypatch.setenv("COLUMNS", "200")
        yield api


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave\n\nEmployees have thirty days of holiday.\n")
    (folder / "cut.pdf").write_bytes(b"%PDF-1.7\n1 0 obj")
    (folder / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    return folder


async def run(*arguments: object, input: str | None = None) -> Result:
    words = [str(each) for each in arguments]
    return await asyncio.to_thread(CliRunner().invoke, app, words, input=input)


async def run_json(*arguments: object) -> Any:
    result = await run(*arguments, "--json")
    return json.loads(result.stdout)


async def test_a_folder_is_synced_searched_and_deleted(api: KnowledgeApi, docs: Path) -> None:
    synced = await run("sync", "handbook", docs)
    assert synced.exit_code == 0
    assert "1 added" in synced.stdout
    assert "logo.png" in synced.stdout
    assert "cut.pdf" in synced.stderr
    assert "1 unchanged" in (await run("sync", "handbook")).stdout

    listed = await run("list")
    assert "handbook" in listed.stdout
    assert str(docs) in listed.stdout
    status = await run("status", "handbook")
    assert "leave.md" in status.stdout
    assert "cut.pdf" in status.stdout
    assert "1 of 2 files in, 0 on their way, 1 failed" in status.stdout

    found = await run("search", "handbook", "days of holiday")
    assert "leave.md" in found.stdout
    assert "thirty days" in found.stdout

    kept = await run("delete", "handbook", input="n\n")
    assert kept.exit_code == 1
    assert (await run("delete", "handbook", "--yes")).exit_code == 0
    assert "No knowledge yet" in (await run("list")).stdout
    assert (docs / "leave.md").exists()


async def test_every_command_speaks_json(api: KnowledgeApi, docs: Path) -> None:
    report = await run_json("sync", "handbook", docs)
    assert (report["added"], [each["code"] for each in report["skipped"]]) == (1, ["unsupported"])
    [store] = await run_json("list")
    assert store["name"] == "handbook"
    assert len((await run_json("status", store["id"]))["files"]) == 2
    [hit] = await run_json("search", "handbook", "holiday")
    assert hit["filename"] == "leave.md"
    assert (await run_json("delete", "handbook", "--yes"))["deleted"]


async def test_files_are_uploaded(api: KnowledgeApi, docs: Path) -> None:
    added = await run("add", "uploads", docs / "leave.md")
    assert added.exit_code == 0
    assert "1 of 1 files are in 'uploads'" in added.stdout
    bad = await run("add", "uploads", docs / "leave.md", docs / "cut.pdf")
    assert bad.exit_code == 1
    assert "cut.pdf" in bad.stderr
    [store] = await run_json("list")
    assert store["file_counts"]["completed"] == 2


async def test_unknown_names_say_which_there_are(api: KnowledgeApi, docs: Path) -> None:
    await run("sync", "handbook", docs)
    result = await run("search", "handbok", "x")
    assert isinstance(result.exception, NotFound)
    assert "'handbok'" in result.exception.message
    assert "'handbook'" in result.exception.message


async def test_new_knowledge_needs_a_folder(api: KnowledgeApi, tmp_path: Path) -> None:
    assert isinstance((await run("sync", "handbook")).exception, BadRequest)
    missing = await run("sync", "handbook", tmp_path / "none")
    assert "none' is not there" in str(missing.exception)
