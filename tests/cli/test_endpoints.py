from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from headstart.cli.endpoints import app
from tests.cli.fakes import FakeClient, endpoint


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    monkeypatch.setattr("headstart.cli.endpoints._FOLLOW_SECONDS", 0)
    return FakeClient.install(monkeypatch)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def test_the_list_shows_what_each_is_doing(client: FakeClient) -> None:
    client.answers = [
        {
            "data": [
                endpoint(engine="openvino", memory_bytes=491_000_000, context_length=32768),
                endpoint(
                    name="new",
                    status="pulling",
                    progress={"stage": "download", "done": 1, "total": 4},
                ),
                endpoint(name="bad", status="failed", error="bad magic [x]", restarts=7),
            ]
        }
    ]
    result = run("list")
    assert result.exit_code == 0, result.output
    for text in ("491 MB", "32768", "pulling 25 %", "(auto)", "bad: bad magic [x]", "7"):
        assert text in result.output


def test_an_empty_list_says_what_to_do(client: FakeClient) -> None:
    client.answers = [{"data": []}]
    assert "headstart deploy MODEL" in run("list").output
    assert json.loads(run("list", "--json").stdout) == []


def test_logs(client: FakeClient) -> None:
    client.answers = [{"object": "endpoint.logs", "text": "one\ntwo", "next": 8}]
    assert run("logs", "chat", "-n", "2").output == "one\ntwo\n"
    assert client.calls == [("GET", "/v1/endpoints/chat/logs", {"lines": 2})]
    assert json.loads(run("logs", "chat", "--json").stdout)["next"] == 8


def test_following_logs_goes_on_where_it_was(client: FakeClient) -> None:
    client.answers = [
        {"text": "one", "next": 4},
        {"text": "two\n", "next": 8},
        KeyboardInterrupt(),
    ]
    assert run("logs", "chat", "-f").output.startswith("one\ntwo\n")
    assert [call[2] for call in client.calls] == [{"lines": 200}, {"after": 4}, {"after": 8}]


def test_delete(client: FakeClient) -> None:
    client.answers = [{"id": "ep_1", "object": "endpoint.deleted", "deleted": True}]
    assert "Deleted chat" in run("delete", "chat").output
    assert client.calls == [("DELETE", "/v1/endpoints/chat", None)]
    assert json.loads(run("delete", "chat", "--json").stdout)["deleted"] is True
