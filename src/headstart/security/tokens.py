"""Secrets that callers carry: API keys, session cookies, sign-in links.

All are 256 random bits, and only their SHA-256 is stored. A slow hash (argon2, bcrypt) protects
passwords, which can be guessed; nobody can enumerate 2^256 secrets, so here it would only add tens
of milliseconds to every call and hand attackers a way to burn the server's processors. It also
makes the digest a lookup key: an attacker who times lookups learns about digests of their own
guesses, which tell nothing about stored ones.
"""

from __future__ import annotations

import hashlib
import secrets

KEY_PREFIX = "hs-"
_BYTES = 32
_GENERATED_LENGTH = 40


def new_key() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(_BYTES)


def new_token() -> str:
    return secrets.token_urlsafe(_BYTES)


def digest(secret: str) -> bytes:
    """What is stored instead of the secret: 32 bytes. Takes any string, however odd or long."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def redact(secret: str) -> str:
    """Enough to recognise a generated key by; nothing of a shorter one that somebody chose."""
    if secret.startswith(KEY_PREFIX) and len(secret) >= _GENERATED_LENGTH:
        return f"{secret[:6]}…{secret[-4:]}"
    return "…"
