"""Browser sessions: links that work once, cookies that end with their key."""

from __future__ import annotations

import threading

import pytest

from headstart.errors import Unauthenticated
from headstart.security.keys import ADMIN_KEY_ID, Keys
from headstart.security.sessions import LINK_S, SESSION_S, BrowserSessions
from headstart.settings import load
from headstart.storage.database import Database
from tests.security.test_keys import at


@pytest.fixture
def sessions(database: Database, keys: Keys) -> BrowserSessions:
    keys.ensure_admin(load())
    return BrowserSessions(database, keys)


def test_a_link_signs_in_once(sessions: BrowserSessions) -> None:
    token = sessions.one_time_link()
    cookie = sessions.redeem(token)
    assert sessions.resolve(cookie).key_id == ADMIN_KEY_ID
    with pytest.raises(Unauthenticated, match="used already or is too old"):
        sessions.redeem(token)
    assert sessions.resolve(cookie).is_admin


def test_of_many_at_once_one_gets_in(sessions: BrowserSessions) -> None:
    token = sessions.one_time_link()
    cookies: list[str] = []
    refused: list[Exception] = []
    start = threading.Barrier(8)

    def redeem() -> None:
        start.wait()
        try:
            cookies.append(sessions.redeem(token))
        except Unauthenticated as error:
            refused.append(error)

    threads = [threading.Thread(target=redeem) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cookies) == 1
    assert len(refused) == 7


def test_an_old_link_is_void(sessions: BrowserSessions, monkeypatch: pytest.MonkeyPatch) -> None:
    token = sessions.one_time_link()
    at(monkeypatch, LINK_S + 1)
    with pytest.raises(Unauthenticated):
        sessions.redeem(token)


def test_tokens_and_cookies_are_not_interchangeable(sessions: BrowserSessions) -> None:
    token = sessions.one_time_link()
    with pytest.raises(Unauthenticated):
        sessions.resolve(token)
    cookie = sessions.redeem(token)
    with pytest.raises(Unauthenticated):
        sessions.redeem(cookie)
    assert sessions.resolve(cookie).is_admin


@pytest.mark.parametrize("cookie", ["", "wrong", "\x00", "x" * 100_000])
def test_an_invented_cookie_is_nobody(sessions: BrowserSessions, cookie: str) -> None:
    with pytest.raises(Unauthenticated):
        sessions.resolve(cookie)


def test_revoking_the_key_ends_its_sessions(sessions: BrowserSessions, keys: Keys) -> None:
    row, secret = keys.create("laptop")
    cookie = sessions.open(keys.authenticate(secret))
    unused = sessions.one_time_link(row.id)
    assert sessions.resolve(cookie).key_id == row.id
    keys.revoke(row.id)
    with pytest.raises(Unauthenticated):
        sessions.resolve(cookie)
    with pytest.raises(Unauthenticated):
        sessions.redeem(unused)


def test_signing_out_ends_one_session(sessions: BrowserSessions, keys: Keys) -> None:
    first, second = (sessions.redeem(sessions.one_time_link()) for _ in range(2))
    sessions.resolve(first)
    sessions.sign_out(first)
    sessions.sign_out(first)
    with pytest.raises(Unauthenticated):
        sessions.resolve(first)
    assert sessions.resolve(second).is_admin


def test_sessions_end_after_their_time(
    sessions: BrowserSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = sessions.redeem(sessions.one_time_link())
    assert sessions.resolve(cookie).is_admin
    at(monkeypatch, SESSION_S + 1)
    with pytest.raises(Unauthenticated):
        sessions.resolve(cookie)


def test_a_session_does_not_outlive_an_expiring_key(
    sessions: BrowserSessions, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = keys.create("ci", expires_in=5)
    cookie = sessions.open(keys.authenticate(secret))
    assert sessions.resolve(cookie).name == "ci"
    at(monkeypatch, 6)
    with pytest.raises(Unauthenticated):
        sessions.resolve(cookie)


def test_a_session_outlives_the_server(sessions: BrowserSessions, database: Database) -> None:
    cookie = sessions.redeem(sessions.one_time_link())
    keys = Keys(database)
    assert BrowserSessions(database, keys).resolve(cookie).is_admin
    keys.close()
