"""API keys: made once, stored as a digest, ended at once."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import event, text

from headstart.errors import BadRequest, Conflict, NotFound, SettingsError, Unauthenticated
from headstart.security.keys import ADMIN_KEY_ID, Keys, local_key
from headstart.security.principal import Principal, Role
from headstart.security.sessions import BrowserSessions
from headstart.settings import Settings, load
from headstart.storage.database import Database


def at(monkeypatch: pytest.MonkeyPatch, offset: float) -> None:
    """Move both clocks by `offset` seconds."""
    wall, monotonic = time.time, time.monotonic
    monkeypatch.setattr(time, "time", lambda: wall() + offset)
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + offset)


def admin_settings(secret: str) -> Settings:
    return load(admin_key=secret)


def test_the_first_start_makes_an_admin_key_and_says_it_once(keys: Keys) -> None:
    secret = keys.ensure_admin(load())
    assert secret is not None
    assert secret.startswith("hs-")
    assert keys.authenticate(secret) == Principal(ADMIN_KEY_ID, "admin", Role.ADMIN)
    assert keys.ensure_admin(load()) is None


def test_no_secret_reaches_the_disk(keys: Keys, database: Database, home: Path) -> None:
    secret = keys.ensure_admin(load())
    assert secret is not None
    keys.authenticate(secret)
    with database.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    assert secret.encode() not in (home / "headstart.db").read_bytes()


def test_the_environment_sets_and_rotates_the_admin_key(keys: Keys, database: Database) -> None:
    first, second = "a-secret-of-16-chars", "another-secret-16-chars"
    assert keys.ensure_admin(admin_settings(first)) is None
    assert keys.authenticate(first).is_admin
    sessions = BrowserSessions(database, keys)
    cookie = sessions.open(keys.authenticate(first))
    assert keys.ensure_admin(admin_settings(second)) is None
    assert keys.authenticate(second).key_id == ADMIN_KEY_ID
    with pytest.raises(Unauthenticated):
        keys.authenticate(first)
    with pytest.raises(Unauthenticated):
        sessions.resolve(cookie)


def test_a_restart_with_the_same_admin_key_keeps_browsers_signed_in(
    keys: Keys, database: Database
) -> None:
    settings = admin_settings("a-secret-of-16-chars")
    keys.ensure_admin(settings)
    sessions = BrowserSessions(database, keys)
    cookie = sessions.open(keys.authenticate("a-secret-of-16-chars"))
    keys.ensure_admin(settings)
    assert sessions.resolve(cookie).key_id == ADMIN_KEY_ID


def test_the_admin_key_cannot_be_another_keys_secret(keys: Keys) -> None:
    keys.ensure_admin(load())
    _, secret = keys.create("someone")
    with pytest.raises(SettingsError, match="already the secret of another key"):
        keys.ensure_admin(admin_settings(secret))


@pytest.mark.parametrize("secret", ["", "hs-", "hs-wrong", "\x00", "ключ", "x" * 1_000_000])
def test_a_wrong_secret_says_nothing_about_why(keys: Keys, secret: str) -> None:
    keys.ensure_admin(load())
    with pytest.raises(Unauthenticated, match="unknown, expired or revoked"):
        keys.authenticate(secret)


def test_a_revoked_key_ends_at_once(keys: Keys) -> None:
    keys.ensure_admin(load())
    row, secret = keys.create("laptop", Role.ADMIN)
    assert keys.authenticate(secret).name == "laptop"
    keys.revoke(row.id)
    with pytest.raises(Unauthenticated, match="unknown, expired or revoked"):
        keys.authenticate(secret)
    for again in (keys.revoke, keys.get):
        with pytest.raises(NotFound):
            again(row.id)


def test_a_revocation_by_another_process_holds_soon(
    keys: Keys, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.ensure_admin(load())
    row, secret = keys.create("laptop")
    keys.authenticate(secret)
    other = Keys(database)
    other.revoke(row.id)
    other.close()
    at(monkeypatch, 31)
    with pytest.raises(Unauthenticated):
        keys.authenticate(secret)


def test_an_expired_key_ends_even_while_remembered(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, secret = keys.create("ci", expires_in=5)
    assert row.expires_at is not None
    assert keys.authenticate(secret).role is Role.MEMBER
    at(monkeypatch, 6)
    with pytest.raises(Unauthenticated):
        keys.authenticate(secret)


def test_a_known_key_needs_no_database(keys: Keys, database: Database) -> None:
    _, secret = keys.create("laptop")
    keys.authenticate(secret)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    keys.authenticate(secret)
    assert statements == []


def test_the_last_admin_key_cannot_be_revoked(keys: Keys, database: Database) -> None:
    secret = keys.ensure_admin(load())
    assert secret is not None
    keys.create("member")
    keys.create("soon gone", Role.ADMIN, expires_in=60)
    local_key(database)
    with pytest.raises(Conflict, match="last admin key"):
        keys.revoke(ADMIN_KEY_ID)
    assert keys.authenticate(secret).is_admin
    keys.create("second", Role.ADMIN)
    keys.revoke(ADMIN_KEY_ID)
    assert keys.ensure_admin(load()) is None


def test_a_key_needs_a_name(keys: Keys) -> None:
    with pytest.raises(BadRequest, match="name"):
        keys.create("  ")


def test_listing_pages_through_keys_of_the_same_second(
    keys: Keys, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    made = {keys.create(f"key {number}")[0].id for number in range(7)}
    local_key(database)
    seen: list[str] = []
    after = None
    while True:
        page = keys.list(after=after, limit=3)
        seen += [row.id for row in page.data]
        if not page.has_more:
            break
        after = page.data[-1].id
    assert len(seen) == 7
    assert set(seen) == made
    assert [row.id for row in keys.list(order="desc").data] == seen[::-1]


def test_last_use_is_written_by_the_time_it_is_shown(keys: Keys) -> None:
    row, secret = keys.create("laptop")
    assert keys.get(row.id).last_used_at is None
    before = int(time.time())
    keys.authenticate(secret)
    assert (keys.list().data[0].last_used_at or 0) >= before


def test_last_use_is_written_on_the_way_now_and_then(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, secret = keys.create("laptop")
    at(monkeypatch, 61)
    keys.authenticate(secret)
    keys.close()
    assert keys.get(row.id).last_used_at is not None


def test_the_command_lines_key_acts_as_the_admin_and_cleans_up(
    keys: Keys, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.ensure_admin(load())
    secret = local_key(database)
    assert keys.authenticate(secret) == Principal(ADMIN_KEY_ID, "admin", Role.ADMIN)
    assert [row.id for row in keys.list().data] == [ADMIN_KEY_ID]
    at(monkeypatch, 15 * 60 + 1)
    with pytest.raises(Unauthenticated):
        keys.authenticate(secret)
    local_key(database)
    with database.engine.connect() as connection:
        count = connection.execute(
            text("SELECT count(*) FROM api_keys WHERE id LIKE 'key_local_%'")
        ).scalar_one()
    assert count == 1


def test_settings_from_the_environment_reach_the_key(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "HEADSTART_ADMIN_KEY", "from-the-environment")
    keys.ensure_admin(load())
    assert keys.authenticate("from-the-environment").is_admin
