"""`headstart key` against the real routes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from headstart.api import keys, session
from headstart.cli.client import Client
from headstart.cli.key import app
from headstart.errors import BadRequest, Conflict, HeadstartError, NotFound, Unavailable
from headstart.storage.lock import HomeLock
from tests.api.support import URL, Backend, backend
from tests.cli.support import connect_to


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    # the routes run in this process: their log must not mix with what the command prints
    with capture_logs(), backend(home, keys.router, session.router) as server:
        connect_to(server, monkeypatch)
        yield server


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def test_a_key_is_printed_alone_so_that_a_script_can_take_it(server: Backend) -> None:
    result = run("create", "laptop")
    assert result.exit_code == 0, result.output
    secret = result.stdout.strip()
    assert server.client(secret).get("/v1/session").json() == {
        "object": "session",
        "name": "laptop",
        "role": "member",
    }
    assert "cannot be shown again" in result.stderr


def test_roles_and_lifetimes(server: Backend) -> None:
    made = json.loads(run("create", "ops", "--role", "admin", "--expires", "90d", "--json").stdout)
    assert made["owner"]["role"] == "admin"
    assert made["expires_at"] - made["created_at"] == 90 * 24 * 3600


@pytest.mark.parametrize("lifetime", ["", "d", "0d", "90", "1w", "-1d", "1.5h", "²d"])
def test_lifetimes_that_cannot_be_read(server: Backend, lifetime: str) -> None:
    result = run("create", "ops", "--expires", lifetime)
    assert isinstance(result.exception, BadRequest)
    assert "such as 90d" in result.exception.message


def test_the_list(server: Backend) -> None:
    for number in range(3):
        run("create", f"key [{number}]")
    result = run("list")
    assert result.exit_code == 0, result.output
    for text in ("key_admin", "key [0]", "key [2]", "member", "never", "hs-"):
        assert text in result.stdout
    assert len(json.loads(run("list", "--json").stdout)) == 4


def test_revoking_by_id_or_name(server: Backend) -> None:
    by_id = json.loads(run("create", "one", "--json").stdout)
    run("create", "two")
    assert run("revoke", by_id["id"]).exit_code == 0
    assert json.loads(run("revoke", "two", "--json").stdout)["deleted"] is True
    assert len(json.loads(run("list", "--json").stdout)) == 1
    assert server.client(by_id["value"]).get("/v1/session").status_code == 401


def test_revoking_what_is_not_there_twice_there_or_needed(server: Backend) -> None:
    assert isinstance(run("revoke", "none").exception, NotFound)
    run("create", "twin")
    run("create", "twin")
    ambiguous = run("revoke", "twin").exception
    assert isinstance(ambiguous, BadRequest)
    assert "2 keys are named 'twin'" in ambiguous.message
    last = run("revoke", "admin").exception
    assert isinstance(last, HeadstartError)
    assert "last admin key" in last.message


def test_a_new_sign_in_link(server: Backend, home: Path) -> None:
    with HomeLock(home) as lock:
        lock.publish(URL)
        url = run("link").stdout.strip()
        other = json.loads(run("link", "--json").stdout)["url"]
    assert url != other
    browser = server.client()
    assert browser.get(url).status_code == 303
    assert browser.get("/v1/session").json()["name"] == "admin"


def test_a_link_needs_a_server_on_this_machine(
    server: Backend, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run("link")
    assert isinstance(result.exception, Unavailable)
    assert str(home) in result.exception.message
    monkeypatch.setenv("HEADSTART_URL", "http://elsewhere:8080")
    assert "HEADSTART_URL" in str(run("link").exception)


def test_the_command_line_lets_itself_in(
    server: Backend, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("HEADSTART_HOME", str(home))
    with pytest.raises(Unavailable, match="No server runs"):
        Client.connect()
    with HomeLock(home) as lock:
        lock.publish(URL)
        with pytest.raises(Conflict):
            HomeLock(home).acquire()
        with Client.connect() as client:
            assert client.url == URL
