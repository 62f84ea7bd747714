"""Secrets: long, random, never stored or shown."""

from __future__ import annotations

import base64

import pytest

from headstart.security.tokens import KEY_PREFIX, digest, new_key, new_token, redact


@pytest.mark.parametrize("token", [new_key().removeprefix(KEY_PREFIX), new_token()])
def test_secrets_have_256_bits_and_fit_into_headers_and_urls(token: str) -> None:
    assert len(base64.urlsafe_b64decode(token + "=")) == 32


def test_no_secret_comes_twice() -> None:
    assert len({new_key() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("secret", ["", "ключ", "\ud800", "\x00", "k" * 1_000_000])
def test_any_string_has_a_digest(secret: str) -> None:
    assert len(digest(secret)) == 32


def test_a_generated_key_can_be_recognised_but_not_guessed() -> None:
    key = new_key()
    shown = redact(key)
    assert key.startswith(shown.split("…")[0])
    assert key.endswith(shown.split("…")[1])
    assert len(shown.replace("…", "")) <= len(KEY_PREFIX) + 7


@pytest.mark.parametrize(
    "secret", ["hs-short-but-ours", "a long pass phrase that somebody chose!!"]
)
def test_nothing_of_a_chosen_secret_is_shown(secret: str) -> None:
    assert redact(secret) == "…"
