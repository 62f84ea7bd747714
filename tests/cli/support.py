"""Commands that speak to real routes in this process."""

from __future__ import annotations

import pytest

from headstart.cli.client import Client
from tests.api.support import URL, Backend


def connect_to(server: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `Client.connect` reach these routes, as admin."""

    def connect() -> Client:
        client = Client(URL, server.admin_key)
        client._http.close()
        client._http = server.admin()
        return client

    monkeypatch.setattr(Client, "connect", connect)
