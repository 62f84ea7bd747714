"""API keys: who may call. Made, checked, listed, revoked.

`authenticate` is on the path of every call, so it answers from memory: a key that was seen in the
last `CACHE_S` seconds costs one SHA-256. A revocation through this object holds at once; one that
another process writes into the same database holds after `CACHE_S`.

Left out, with a place kept for them: users, projects and limits. They will change what a key
resolves to (`Principal`), not who asks for it.
"""

from __future__ import annotations

import hmac
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from headstart.errors import BadRequest, Conflict, NotFound, SettingsError, Unauthenticated
from headstart.security.principal import Principal, Role
from headstart.security.tokens import digest, new_key, redact
from headstart.settings import Settings
from headstart.storage.database import Database
from headstart.storage.paging import Order, Page, page
from headstart.storage.tables import ApiKey, BrowserSession
from headstart.storage.text import storable

log = structlog.get_logger()

_refused = Counter("headstart_keys_refused", "Calls with a wrong, expired or revoked key.")

ADMIN_KEY_ID = "key_admin"  # the key of the first start, or of HEADSTART_ADMIN_KEY
CACHE_S = 30.0
LOCAL_KEY_S = 15 * 60
_LOCAL_PREFIX = "key_local_"
_FLUSH_S = 60.0
_CACHE_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    digest: bytes
    expires_at: int | None
    until: float  # monotonic: when to look again
    generation: int


class Keys:
    """The keys of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.generation = 0  # counts revocations: what was read before one is looked up again
        self._known: dict[bytes, _Known] = {}
        self._used: dict[str, int] = {}  # key id → last use that is not yet in the database
        self._flushed = time.monotonic()
        self._background = ThreadPoolExecutor(1, thread_name_prefix="keys")

    def close(self) -> None:
        """Write down what is still in memory."""
        self._background.shutdown()
        self._flush()

    # --- making and ending ----------------------------------------------------------------------

    def ensure_admin(self, settings: Settings) -> str | None:
        """See to it that there is an admin key; returns its secret when it was made just now.

        `HEADSTART_ADMIN_KEY` becomes the admin key's secret, whatever it was before. Without it, a
        key is made when no permanent admin key is left. The secret can never be read again.
        """
        given = settings.admin_key.get_secret_value() if settings.admin_key else None
        secret = given or new_key()
        with self._database.session() as session:
            row = session.get(ApiKey, ADMIN_KEY_ID)
            if given is None and session.scalar(_permanent_admins()):
                return None
            if row is not None and row.digest == digest(secret) and row.revoked_at is None:
                return None
        self._set_admin(secret)
        log.info("admin key set", key_id=ADMIN_KEY_ID, from_settings=given is not None)
        return None if given else secret

    def create(
        self, name: str, role: Role = Role.MEMBER, expires_in: int | None = None
    ) -> tuple[ApiKey, str]:
        """A new key and its secret, which is shown this once. expires_in: seconds."""
        secret = new_key()
        row = _row(f"key_{secrets.token_hex(12)}", name, secret, role, expires_in)
        with self._database.session() as session:
            session.add(row)
        log.info("key created", key_id=row.id, name=name, role=row.role, expires_at=row.expires_at)
        return row, secret

    def revoke(self, id: str) -> None:
        """End a key and every browser session that was opened with it."""
        with self._database.session() as session:
            row = session.get(ApiKey, id)
            if row is None or row.revoked_at is not None:
                raise _no_key(id)
            row.revoked_at = int(time.time())
            session.execute(delete(BrowserSession).where(BrowserSession.key_id == id))
            if row.role == Role.ADMIN.value and not session.scalar(_permanent_admins()):
                raise Conflict(
                    "This is the last admin key that does not expire. Create another one first: "
                    "'headstart key create NAME --role admin'."
                )
        self.generation += 1
        log.info("key revoked", key_id=id, name=row.name)

    def _set_admin(self, secret: str) -> None:
        row = _row(ADMIN_KEY_ID, "admin", secret, Role.ADMIN, None)
        try:
            with self._database.session() as session:
                session.execute(delete(BrowserSession).where(BrowserSession.key_id == ADMIN_KEY_ID))
                session.merge(row)
        except IntegrityError as error:
            raise SettingsError(
                "HEADSTART_ADMIN_KEY is already the secret of another key; choose another value.",
                param="admin_key",
            ) from error
        self.generation += 1

    # --- looking --------------------------------------------------------------------------------

    def get(self, id: str) -> ApiKey:
        with self._database.session() as session:
            row = session.get(ApiKey, id)
        if row is None or row.revoked_at is not None or _is_local(id):
            raise _no_key(id)
        return row

    def list(
        self, *, after: str | None = None, limit: int = 20, order: Order = "asc"
    ) -> Page[ApiKey]:
        """Keys that were not revoked; expired ones are shown, with their date."""
        self._flush()
        query = select(ApiKey).where(
            ApiKey.revoked_at.is_(None), ApiKey.id.not_like(f"{_LOCAL_PREFIX}%")
        )
        with self._database.session() as session:
            keys = (ApiKey.created_at, ApiKey.id)
            return page(session, query, keys, after=after, limit=limit, order=order)

    # --- checking -------------------------------------------------------------------------------

    def authenticate(self, secret: str) -> Principal:
        """Who presents this secret. Raises `Unauthenticated`, with the same words for every wrong
        secret; takes about a microsecond for a known one and one indexed read for any other.
        """
        sha = digest(secret)
        known = self._known.get(sha)
        if known is None or known.generation != self.generation or known.until < time.monotonic():
            known = self._look_up(sha)
        if (
            known is None
            or not hmac.compare_digest(known.digest, sha)
            or (known.expires_at is not None and known.expires_at <= time.time())
        ):
            _refused.inc()
            raise _unauthenticated()
        self.note_use(known.principal)
        return known.principal

    def note_use(self, principal: Principal) -> None:
        """Remember that a key was used just now; written to the database once a minute."""
        self._used[principal.key_id] = int(time.time())
        if time.monotonic() - self._flushed > _FLUSH_S:
            self._flushed = time.monotonic()
            self._background.submit(self._flush)

    def _look_up(self, sha: bytes) -> _Known | None:
        generation = self.generation
        with self._database.session() as session:
            row = session.scalar(select(ApiKey).where(ApiKey.digest == sha))
        if row is None or row.revoked_at is not None:
            return None
        if len(self._known) >= _CACHE_LIMIT:
            self._known.clear()
        known = self._known[sha] = _Known(
            principal_of(row),
            row.digest,
            row.expires_at,
            until=time.monotonic() + CACHE_S,
            generation=generation,
        )
        return known

    def _flush(self) -> None:
        used, self._used = self._used, {}
        try:
            with self._database.session() as session:
                for key_id, at in list(used.items()):  # a call may still be adding to it
                    session.execute(
                        update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=at)
                    )
        except OperationalError as error:  # a full disk must not end a call for a statistic
            log.warning("last use of keys not written", error=str(error.orig))


def local_key(database: Database) -> str:
    """A short-lived admin key for the command line on the server's own machine.

    Whoever can write to the database owns the server, so no secret is asked for. The key acts as
    the admin key, so that what it records and rates belongs to the admin and not to a command.
    """
    secret = new_key()
    now = int(time.time())
    row = _row(f"{_LOCAL_PREFIX}{secrets.token_hex(12)}", "local", secret, Role.ADMIN, LOCAL_KEY_S)
    with database.session() as session:
        expired = ApiKey.id.like(f"{_LOCAL_PREFIX}%") & (ApiKey.expires_at < now)
        session.execute(delete(ApiKey).where(expired))
        session.add(row)
    return secret


def principal_of(row: ApiKey) -> Principal:
    if _is_local(row.id):
        return Principal(ADMIN_KEY_ID, "admin", Role.ADMIN)
    return Principal(row.id, row.name, Role(row.role))


def _row(id: str, name: str, secret: str, role: Role, expires_in: int | None) -> ApiKey:
    if not name.strip():
        raise BadRequest("name: must not be empty", param="name")
    now = int(time.time())
    return ApiKey(
        id=id,
        name=storable(name.strip()),
        digest=digest(secret),
        redacted=redact(secret),
        role=role.value,
        created_at=now,
        expires_at=None if expires_in is None else now + expires_in,
        last_used_at=None,
        revoked_at=None,
    )


def _permanent_admins() -> Any:
    return select(func.count(ApiKey.id)).where(
        ApiKey.role == Role.ADMIN.value, ApiKey.revoked_at.is_(None), ApiKey.expires_at.is_(None)
    )


def _is_local(id: str) -> bool:
    return id.startswith(_LOCAL_PREFIX)


def _no_key(id: str) -> NotFound:
    return NotFound(f"No key '{id}'. 'headstart key list' shows all.", param="id")


def _unauthenticated() -> Unauthenticated:
    return Unauthenticated(
        "This API key is not valid: unknown, expired or revoked. 'headstart key create' on the "
        "server's machine makes a new one.",
        code="invalid_api_key",
    )
