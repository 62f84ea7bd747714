"""Requests with a cookie must come from our own pages."""

from __future__ import annotations

import pytest

from headstart.security.origin import same_origin


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://localhost:8080", "LOCALHOST:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("https://headstart.example", "headstart.example"),
        ("https://headstart.example", "headstart.example:443"),
        ("http://headstart.example:80", "headstart.example"),
    ],
)
def test_our_own_pages(origin: str, host: str) -> None:
    assert same_origin(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "127.0.0.1:8080"),
        ("", "127.0.0.1:8080"),
        ("null", "127.0.0.1:8080"),
        ("http://127.0.0.1:9999", "127.0.0.1:8080"),  # same site, other program
        ("http://evil.example", "127.0.0.1:8080"),
        ("http://127.0.0.1:8080.evil.example", "127.0.0.1:8080"),
        ("http://evil.example/127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://127.0.0.1:8080@evil.example", "127.0.0.1:8080"),
        ("file://", ""),
        ("file://", "127.0.0.1:8080"),
        ("http://", "127.0.0.1"),
        ("http://127.0.0.1:99999", "127.0.0.1:99999"),
        ("http://[::1", "[::1"),
        ("chrome-extension://127.0.0.1:8080", "127.0.0.1:8080"),
    ],
)
def test_other_peoples_pages(origin: str | None, host: str) -> None:
    assert not same_origin(origin, host)
