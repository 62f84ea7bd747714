"""Signed-in browsers: a sign-in link that works once, and the cookie that it becomes.

A session belongs to a key and ends with it. Both are random tokens of which only the digest is
stored (see `tokens.py`), so neither a copy of the database nor an old link signs anybody in.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, cast

import structlog
from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from headstart.errors import Unauthenticated
from headstart.security.keys import ADMIN_KEY_ID, CACHE_S, Keys, principal_of
from headstart.security.principal import Principal
from headstart.security.tokens import digest, new_token
from headstart.storage.database import Database
from headstart.storage.tables import ApiKey, BrowserSession

log = structlog.get_logger()

LINK_S = 60 * 60  # long enough to come back from a coffee, too short for an old terminal log
SESSION_S = 30 * 24 * 60 * 60
_CACHE_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    until: float  # monotonic: when to look again
    generation: int


class BrowserSessions:
    """Who is signed in at the console."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys
        self._known: dict[bytes, _Known] = {}

    def one_time_link(self, key_id: str = ADMIN_KEY_ID) -> str:
        """A token for `/sign-in?token=…`, good for one hour and one use."""
        with self._database.session() as session:
            session.execute(delete(BrowserSession).where(BrowserSession.expires_at < time.time()))
            return _add(session, key_id, one_time=True, lifetime=LINK_S)

    def redeem(self, token: str) -> str:
        """Turn a sign-in link's token into a session; returns the cookie's value.

        Of two that redeem the same token at once, one succeeds.
        """
        sha = digest(token)
        with self._database.session() as session:
            row = session.get(BrowserSession, sha)
            used = session.execute(
                delete(BrowserSession).where(
                    BrowserSession.digest == sha,
                    BrowserSession.one_time.is_(True),
                    BrowserSession.expires_at > time.time(),
                )
            )
            if row is None or not cast("CursorResult[Any]", used).rowcount:
                raise Unauthenticated(
                    "This sign-in link was used already or is too old. 'headstart key link' on "
                    "the server's machine prints a new one; an API key signs in as well.",
                    code="invalid_sign_in_link",
                )
            cookie = _add(session, row.key_id, one_time=False, lifetime=SESSION_S)
        log.info("signed in", key_id=row.key_id, by="link")
        return cookie

    def open(self, principal: Principal) -> str:
        """A session for a caller who has shown their key; returns the cookie's value."""
        with self._database.session() as session:
            cookie = _add(session, principal.key_id, one_time=False, lifetime=SESSION_S)
        log.info("signed in", key_id=principal.key_id, by="key")
        return cookie

    def resolve(self, cookie: str) -> Principal:
        """Who is signed in with this cookie. Raises `Unauthenticated`."""
        sha = digest(cookie)
        known = self._known.get(sha)
        if (
            known is None
            or known.generation != self._keys.generation
            or known.until < time.monotonic()
        ):
            known = self._look_up(sha)
        self._keys.note_use(known.principal)
        return known.principal

    def sign_out(self, cookie: str) -> None:
        """End this session, if it is one."""
        sha = digest(cookie)
        with self._database.session() as session:
            session.execute(delete(BrowserSession).where(BrowserSession.digest == sha))
        self._known.pop(sha, None)

    def _look_up(self, sha: bytes) -> _Known:
        generation, now = self._keys.generation, time.time()
        with self._database.session() as session:
            row = session.execute(
                select(ApiKey, BrowserSession.expires_at)
                .join(BrowserSession, BrowserSession.key_id == ApiKey.id)
                .where(
                    BrowserSession.digest == sha,
                    BrowserSession.one_time.is_(False),
                    BrowserSession.expires_at > now,
                    ApiKey.revoked_at.is_(None),
                )
            ).first()
        if row is None or (row[0].expires_at is not None and row[0].expires_at <= now):
            raise Unauthenticated(
                "You are not signed in any more. Sign in with a new link ('headstart key link') or "
                "with an API key.",
                code="session_expired",
            )
        ends = min(row[1], row[0].expires_at or row[1])
        if len(self._known) >= _CACHE_LIMIT:
            self._known.clear()
        known = self._known[sha] = _Known(
            principal_of(row[0]),
            until=time.monotonic() + min(CACHE_S, ends - now),
            generation=generation,
        )
        return known


def _add(session: Session, key_id: str, *, one_time: bool, lifetime: int) -> str:
    token, now = new_token(), int(time.time())
    session.add(
        BrowserSession(
            digest=digest(token),
            key_id=key_id,
            one_time=one_time,
            created_at=now,
            expires_at=now + lifetime,
        )
    )
    return token
