"""Signing in and out, and what a cookie may not do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from headstart.api import conversations, session
from tests.api.support import URL, Backend, backend

COOKIE = "headstart_session"


@pytest.fixture
def server(home: Path) -> Iterator[Backend]:
    with backend(home, session.router, conversations.router) as server:
        yield server


def signed_in(server: Backend) -> TestClient:
    browser = server.client()
    answer = browser.get("/sign-in", params={"token": server.sessions.one_time_link()})
    assert answer.status_code == 303
    return browser


def test_the_link_signs_a_browser_in(server: Backend) -> None:
    browser = server.client()
    answer = browser.get("/sign-in", params={"token": server.sessions.one_time_link()})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert "Max-Age=2592000" in cookie
    assert "Secure" not in cookie  # plain HTTP on loopback
    assert browser.get("/v1/session").json() == {
        "object": "session",
        "name": "admin",
        "role": "admin",
    }


def test_over_tls_the_cookie_never_travels_in_the_clear(server: Backend) -> None:
    browser = TestClient(server.app, base_url="https://headstart.example", follow_redirects=False)
    answer = browser.get("/sign-in", params={"token": server.sessions.one_time_link()})
    assert "Secure" in answer.headers["set-cookie"]


def test_a_used_link_opens_nothing_for_a_stranger(server: Backend) -> None:
    token = server.sessions.one_time_link()
    first, second = server.client(), server.client()
    first.get("/sign-in", params={"token": token})
    for bad in (token, "", "wrong"):
        answer = second.get("/sign-in", params={"token": bad})
        assert (answer.status_code, answer.headers["location"]) == (303, "/?link=spent")
        assert "set-cookie" not in answer.headers
    assert second.get("/v1/session").status_code == 401
    assert first.get("/v1/session").status_code == 200
    assert first.get("/sign-in", params={"token": token}).status_code == 303
    assert first.get("/v1/session").status_code == 200


def test_a_key_signs_in_too(server: Backend) -> None:
    browser = server.client()
    assert browser.post("/v1/session", json={"key": f" {server.admin_key}\n"}).json() == {
        "object": "session",
        "name": "admin",
        "role": "admin",
    }
    assert browser.get("/v1/session").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"), [({"key": "hs-wrong"}, 401), ({}, 400), ({"key": "x" * 1001}, 400)]
)
def test_a_wrong_key_does_not(server: Backend, body: dict[str, str], status: int) -> None:
    browser = server.client()
    answer = browser.post("/v1/session", json=body)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert "set-cookie" not in answer.headers


def test_signing_out(server: Backend) -> None:
    browser = signed_in(server)
    stolen = browser.cookies[COOKIE]
    answer = browser.delete("/v1/session", headers={"Origin": URL})
    assert answer.json() == {"object": "session.deleted", "deleted": True}
    assert browser.get("/v1/session").status_code == 401
    browser.cookies.set(COOKIE, stolen)
    assert browser.get("/v1/session").status_code == 401


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:9999", "https://127.0.0.1"]
)
def test_other_sites_cannot_act_with_the_cookie(server: Backend, origin: str | None) -> None:
    browser = signed_in(server)
    headers = {} if origin is None else {"Origin": origin}
    answer = browser.post("/v1/conversations", json={}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "permission_error"
    assert browser.delete("/v1/session", headers=headers).status_code == 403
    assert browser.get("/v1/conversations").json()["data"] == []


def test_our_own_pages_can(server: Backend) -> None:
    browser = signed_in(server)
    answer = browser.post("/v1/conversations", json={}, headers={"Origin": URL})
    assert answer.status_code == 200


def test_programs_with_a_key_need_no_origin(server: Backend) -> None:
    assert server.admin().post("/v1/conversations", json={}).status_code == 200


def test_revoking_a_key_signs_its_browsers_out(server: Backend) -> None:
    row, secret = server.keys.create("laptop")
    browser = server.client()
    browser.post("/v1/session", json={"key": secret})
    assert browser.get("/v1/session").json()["role"] == "member"
    server.keys.revoke(row.id)
    assert browser.get("/v1/session").status_code == 401
