"""Every test runs in a home of its own and reaches nothing but loopback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_socket import socket_allow_hosts

from tests.models import require_models


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh `HEADSTART_HOME`; outgoing connections other than loopback are refused."""
    for name in [name for name in os.environ if name.startswith("HEADSTART_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("HEADSTART_HOME", str(folder))
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    return folder


@pytest.fixture(scope="session")
def model_store() -> Path:
    """The shared store (a `models` folder of a home) with the bundled models' real weights."""
    return require_models()
