from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from headstart.cli.deploy import deploy
from headstart.errors import BadRequest, HeadstartError
from tests.cli.fakes import FakeClient, endpoint

app = typer.Typer()
app.command()(deploy)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    return FakeClient.install(monkeypatch)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=True)


def test_it_waits_until_the_endpoint_answers(client: FakeClient) -> None:
    pulling = endpoint(status="pulling", progress={"stage": "download", "done": 5, "total": 10})
    client.answers = [
        pulling,
        endpoint(status="starting"),
        endpoint(status="ready", engine="openvino", engine_reason="the fastest"),
    ]
    result = run("smollm2", "--name", "chat", "--idle-timeout", "1h30m", "-o", "threads=2")
    assert result.exit_code == 0, result.output
    assert "chat is ready" in result.output
    assert "engine openvino: the fastest" in result.output
    assert client.calls[0] == (
        "POST",
        "/v1/endpoints",
        {
            "model": "smollm2",
            "name": "chat",
            "engine": "auto",
            "idle_timeout": 5400.0,
            "options": {"threads": 2},
        },
    )
    assert [call[:2] for call in client.calls[1:]] == [("GET", "/v1/endpoints/ep_1")] * 2


def test_no_wait_returns_at_once(client: FakeClient) -> None:
    client.answers = [endpoint(status="pulling")]
    result = run("smollm2", "--no-wait", "--force")
    assert result.exit_code == 0, result.output
    assert "chat is pulling" in result.output
    assert client.calls[0][2]["options"] == {"force": True}
    assert "name" not in client.calls[0][2]
    assert client.calls[0][2]["idle_timeout"] is None


def test_json(client: FakeClient) -> None:
    client.answers = [endpoint(status="ready")]
    assert json.loads(run("smollm2", "--json").stdout)["status"] == "ready"


def test_a_failed_endpoint_is_an_error_with_its_reason(client: FakeClient) -> None:
    client.answers = [endpoint(status="starting"), endpoint(status="failed", error="bad magic")]
    result = run("smollm2")
    assert isinstance(result.exception, HeadstartError)
    assert "bad magic" in result.exception.message
    client.answers = [endpoint(status="failed", error="bad magic")]
    result = run("smollm2", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"] == "bad magic"


@pytest.mark.parametrize(
    "arguments", [("--idle-timeout", "soon"), ("--idle-timeout", "0m"), ("-o", "threads")]
)
def test_values_that_cannot_be_are_refused_before_anything_is_sent(
    client: FakeClient, arguments: tuple[str, ...]
) -> None:
    assert isinstance(run("smollm2", *arguments).exception, BadRequest)
    assert client.calls == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("a=1", 1), ("a=0.5", 0.5), ("a=true", True), ("a=x=y", "x=y"), ("a=", "")],
)
def test_options_keep_their_kind(client: FakeClient, text: str, value: Any) -> None:
    client.answers = [endpoint(status="ready")]
    run("smollm2", "-o", text)
    assert client.calls[0][2]["options"] == {"a": value}


def test_a_path_is_sent_as_the_server_finds_it(
    client: FakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.gguf").touch()
    monkeypatch.chdir(tmp_path)
    client.answers = [endpoint(status="ready")]
    for text in ("a.gguf", "./a.gguf"):
        run(text)
        assert client.calls[-1][2]["model"] == str(tmp_path / "a.gguf")
    run("hf:org/repo/a.gguf")
    assert client.calls[-1][2]["model"] == "hf:org/repo/a.gguf"
