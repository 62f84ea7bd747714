from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
from fastapi import FastAPI

from headstart.api import apps as routes
from headstart.api import errors
from headstart.apps.apps import Apps
from headstart.apps.spec import AppSpec
from headstart.errors import Unauthenticated
from headstart.security.principal import Principal, Role
from headstart.storage.database import Database
from tests.apps.fakes import FakeEndpoints, FakeKnowledge


class Keys:
    def authenticate(self, secret: str) -> Principal:
        roles = {"hs-admin": Role.ADMIN, "hs-member": Role.MEMBER}
        if secret not in roles:
            raise Unauthenticated("no such key")
        return Principal("key_1", secret, roles[secret])


@pytest.fixture
def apps(tmp_path: Path) -> Iterator[Apps]:
    database = Database(f"sqlite:///{tmp_path / 'db'}")
    database.migrate()
    apps = Apps(database, cast(Any, FakeEndpoints()), cast(Any, FakeKnowledge()))
    for name in ("support", "docs"):
        apps.define(name, AppSpec(endpoint="chat", knowledge=["handbook"], description=name))
    yield apps
    database.close()


@pytest.fixture
async def http(apps: Apps) -> AsyncIterator[httpx2.AsyncClient]:
    api = FastAPI()
    errors.install(api)
    api.include_router(routes.router)
    api.state.services = SimpleNamespace(apps=apps, keys=Keys())
    transport = httpx2.ASGITransport(app=api)
    headers = {"Authorization": "Bearer hs-member"}
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://test", headers=headers
    ) as client:
        yield client


async def test_list_and_get(http: httpx2.AsyncClient) -> None:
    listed = (await http.get("/v1/apps")).json()
    assert [app["name"] for app in listed["data"]] == ["docs", "support"]
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == ("docs", "support", False)

    app = (await http.get("/v1/apps/docs")).json()
    created_at = app.pop("created_at")
    assert app == {
        "object": "app",
        "name": "docs",
        "version": 1,
        "endpoint": "chat",
        "knowledge": ["handbook"],
        "reasoning": "direct",
        "instructions": "",
        "description": "docs",
    }
    assert isinstance(created_at, int)


async def test_an_unknown_app_is_not_found(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/v1/apps/dosc")
    assert answer.status_code == 404
    assert "did you mean 'docs'" in answer.json()["error"]["message"]


async def test_only_an_admin_removes_an_app(http: httpx2.AsyncClient) -> None:
    assert (await http.delete("/v1/apps/docs")).status_code == 403
    admin = {"Authorization": "Bearer hs-admin"}
    removed = await http.delete("/v1/apps/docs", headers=admin)
    assert removed.json() == {"name": "docs", "object": "app.deleted", "deleted": True}
    assert (await http.get("/v1/apps/docs")).status_code == 404


async def test_a_key_is_needed(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/v1/apps", headers={"Authorization": ""})).status_code == 401
