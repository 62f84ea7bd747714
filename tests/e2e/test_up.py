"""`headstart up` as a person meets it: who may start, who gets in, and starting again."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from openai import AuthenticationError, OpenAI

from tests.e2e.conftest import ECHO
from tests.server import RunningServer, running_server


def headstart(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "headstart", *arguments],
        env={**os.environ, "HEADSTART_HOME": str(home), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_second_server_on_the_home_names_the_first(echo_server: RunningServer) -> None:
    second = headstart("up", "--no-browser", "--port", "0", home=echo_server.home)
    assert second.returncode == 1
    assert f"pid {echo_server.process.pid}" in second.stderr
    assert echo_server.url in second.stderr
    assert "Traceback" not in second.stderr


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = headstart("up", "--no-browser", "--port", port, home=tmp_path / "home")
    assert result.returncode == 1
    assert port in result.stderr
    assert "--port" in result.stderr


def test_a_public_address_without_tls_is_refused(tmp_path: Path) -> None:
    result = headstart("up", "--no-browser", "--host", "0.0.0.0", home=tmp_path / "home")
    assert result.returncode == 1
    assert "--insecure-bind" in result.stderr


def test_all_routes_but_health_need_a_key(echo_server: RunningServer) -> None:
    with httpx2.Client(base_url=echo_server.url) as http:
        assert http.get("/health/live").status_code == 200
        assert http.get("/health/ready").status_code == 200
        paths = http.get("/openapi.json").json()["paths"]
        open_routes = [
            f"{method} {path}"
            for path, methods in paths.items()
            for method in methods
            if http.request(method, re.sub(r"\{.*?\}", "x", path), json={}).status_code != 401
        ]
    assert sorted(open_routes) == [
        "get /health/live",
        "get /health/ready",
        "post /v1/session",
    ]


def test_a_wrong_key_is_refused(echo_server: RunningServer) -> None:
    with (
        OpenAI(base_url=echo_server.openai_url, api_key="hs-wrong", max_retries=0) as client,
        pytest.raises(AuthenticationError),
    ):
        client.models.list()


def test_up_again_changes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_server(home, ECHO) as server, server.http() as http:
        before = http.get("/v1/endpoints").json()["data"]
    with running_server(home, ECHO) as server, server.http() as http:
        after = http.get("/v1/endpoints").json()["data"]
    assert [(e["id"], e["name"]) for e in before] == [(e["id"], e["name"]) for e in after]


def test_the_sign_in_link_works_once(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", ECHO) as server:
        log = (server.home / "server.log").read_text()
        link = re.search(r"http://\S+/sign-in\?token=[\w-]+", log)
        assert link is not None, log
        with httpx2.Client(base_url=server.url) as browser:
            assert browser.get(link[0]).status_code == 303
            assert browser.get("/v1/session").json()["role"] == "admin"
            assert browser.get("/v1/models").status_code == 200
        with httpx2.Client(base_url=server.url) as other:
            other.get(link[0])
            assert other.get("/v1/session").status_code == 401


def test_the_command_line_finds_the_server_of_its_home(echo_server: RunningServer) -> None:
    listed = headstart("endpoints", "list", "--json", home=echo_server.home)
    assert listed.returncode == 0, listed.stderr
    assert {e["name"] for e in json.loads(listed.stdout)} >= {"echo", "slow"}
    asked = headstart("chat", "--model", "echo", "hello there", home=echo_server.home)
    assert asked.stdout.strip() == "hello there"


def test_without_a_server_the_command_line_says_what_to_do(tmp_path: Path) -> None:
    result = headstart("endpoints", "list", home=tmp_path / "empty")
    assert result.returncode == 1
    assert "headstart up" in result.stderr
