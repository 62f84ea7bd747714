"""`headstart records` against the real routes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headstart.api import feedback, records
from headstart.cli.records import app
from headstart.errors import BadRequest, HeadstartError
from tests.api.support import Backend, backend
from tests.cli.support import connect_to
from tests.records.samples import row

PASSAGE = {
    "number": 1,
    "store_id": "vs_1",
    "file_id": "file-1",
    "filename": "handbook.pdf",
    "chunk_id": "chunk_1",
    "page": 3,
    "score": 0.75,
    "text": "Hold the [red] button.",
    "cited": True,
}


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    with backend(home, records.router, feedback.router) as server:
        connect_to(server, monkeypatch)
        yield server


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def put(server: Backend) -> None:
    answer = {"choices": [{"index": 0, "message": {"content": "Hold it. [1]"}}]}
    parts = [{"type": "text", "text": "in "}, {"type": "text", "text": "parts"}]
    with server.session() as session:
        session.add_all(
            [
                row(
                    "chatcmpl-1",
                    "How do I [reset] it?\nQuickly.",
                    app="docs",
                    prompt="<user>How",
                    passages=[PASSAGE],
                    output=answer,
                ),
                row(
                    "chatcmpl-2",
                    created_at=1_700_000_001,
                    status="failed",
                    error="the worker [died]",
                    request={"messages": [{"role": "user", "content": parts}]},
                    prompt_tokens=None,
                ),
                row(
                    "embd-3",
                    created_at=1_700_000_002,
                    kind="embedding",
                    request={"input": ["a", "b"]},
                ),
                row(
                    "cmpl-4",
                    created_at=1_700_000_003,
                    kind="completion",
                    request={"prompt": "Once upon"},
                    output={"choices": [{"index": 0, "text": " a time"}]},
                ),
            ]
        )
    for metric, value in (("thumbs", False), ("correction", "Hold it for 3 s.")):
        body = {"record_id": "chatcmpl-1", "metric": metric, "value": value}
        assert server.admin().post("/v1/feedback", json=body).status_code == 200


def test_the_list(server: Backend) -> None:
    put(server)
    result = run("list")
    assert result.exit_code == 0, result.output
    for text in (
        "How do I [reset] it? Quickly.",
        "down, correction",
        "failed",
        "in parts",
        '["a", "b"]',
        "Once upon",
    ):
        assert text in result.stdout
    assert result.stdout.index("cmpl-4") < result.stdout.index("chatcmpl-1")


def test_filters(server: Backend) -> None:
    put(server)

    def ids(*arguments: str) -> list[str]:
        result = run("list", "--json", *arguments)
        return [record["id"] for record in json.loads(result.stdout)]

    assert ids("--status", "failed") == ["chatcmpl-2"]
    assert (
        ids("--app", "docs") == ids("--metric", "thumbs") == ids("-q", "[RESET]") == ["chatcmpl-1"]
    )
    assert ids("-n", "2") == ["cmpl-4", "embd-3"]
    assert ids("--model", "none") == []
    result = run("list", "--status", "done")
    assert isinstance(result.exception, HeadstartError)
    assert "status" in result.exception.message


def test_an_empty_list_says_why(server: Backend) -> None:
    assert "Every call to a model leaves one" in run("list").stdout


def test_everything_of_one_call(server: Backend) -> None:
    put(server)
    result = run("show", "chatcmpl-1")
    assert result.exit_code == 0, result.output
    for text in (
        "[1] handbook.pdf, page 3 (cited)",
        "Hold the [red] button.",
        "<user>How",
        "Hold it. [1]",
        "thumbs: False",
        "correction: Hold it for 3 s.",
    ):
        assert text in result.stdout
    assert "the worker [died]" in run("show", "chatcmpl-2").stdout
    assert "a time" in run("show", "cmpl-4").stdout
    assert json.loads(run("show", "chatcmpl-1", "--json").stdout)["passages"] == [PASSAGE]
    assert "No record 'none'" in str(run("show", "none").exception)


def test_export(server: Backend, tmp_path: Path) -> None:
    put(server)
    lines = [json.loads(line) for line in run("export").stdout.splitlines()]
    assert [line["id"] for line in lines] == ["chatcmpl-1", "chatcmpl-2", "embd-3", "cmpl-4"]
    assert [each["metric"] for each in lines[0]["feedback"]] == ["thumbs", "correction"]
    file = tmp_path / "records.jsonl"
    result = run("export", "--jsonl", str(file), "--metric", "thumbs")
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == ["chatcmpl-1"]
    assert "1 records in" in result.stderr


def test_an_export_of_many_pages_is_complete(server: Backend) -> None:
    with server.session() as session:
        session.add_all(row(f"r{number:04}") for number in range(250))
    lines = run("export").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [f"r{number:04}" for number in range(250)]
    assert len(json.loads(run("list", "--json", "-n", "150").stdout)) == 150


def test_a_file_that_cannot_be_written_is_named(server: Backend, tmp_path: Path) -> None:
    put(server)
    result = run("export", "--jsonl", str(tmp_path / "no" / "such.jsonl"))
    assert isinstance(result.exception, BadRequest)
    assert "such.jsonl: No such file or directory" in result.exception.message
