"""The routes over the real service, on one event loop."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
from fastapi import FastAPI

from headstart.api import endpoints as routes
from headstart.api import errors
from headstart.errors import Unauthenticated
from headstart.security.principal import Principal, Role
from headstart.serving.endpoints import Endpoints
from tests.serving.fakes import serving

ADMIN = {"Authorization": "Bearer hs-admin"}
MEMBER = {"Authorization": "Bearer hs-member"}


class Keys:
    def authenticate(self, secret: str) -> Principal:
        roles = {"hs-admin": Role.ADMIN, "hs-member": Role.MEMBER}
        if secret not in roles:
            raise Unauthenticated("no such key")
        return Principal("key_1", secret, roles[secret])


@pytest.fixture
async def endpoints(home: Path) -> AsyncIterator[Endpoints]:
    async with serving(home) as endpoints:
        yield endpoints


@pytest.fixture
async def http(endpoints: Endpoints) -> AsyncIterator[httpx2.AsyncClient]:
    api = FastAPI()
    errors.install(api)
    api.include_router(routes.router)
    api.state.services = SimpleNamespace(endpoints=endpoints, keys=Keys())
    transport = httpx2.ASGITransport(app=api)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://test", headers=ADMIN
    ) as client:
        yield client


async def test_deploy_see_and_delete(http: httpx2.AsyncClient, endpoints: Endpoints) -> None:
    body = {"model": "echo", "name": "chat", "engine": "fake", "idle_timeout": 60}
    made = await http.post("/v1/endpoints", json=body)
    assert made.status_code == 200, made.text
    assert made.json()["object"] == "endpoint"
    again = await http.post("/v1/endpoints", json=body)
    assert again.json()["id"] == made.json()["id"]
    await endpoints.wait_ready("chat", 60)
    for key in ("chat", made.json()["id"]):
        seen = (await http.get(f"/v1/endpoints/{key}")).json()
        assert (seen["status"], seen["engine"], seen["idle_timeout"]) == ("ready", "fake", 60)
        assert seen["memory_bytes"] > 0
    logs = (await http.get("/v1/endpoints/chat/logs", params={"lines": 1})).json()
    assert logs["object"] == "endpoint.logs"
    assert logs["text"].startswith("fake worker on")
    rest = (await http.get("/v1/endpoints/chat/logs", params={"after": logs["next"]})).json()
    assert rest == {"object": "endpoint.logs", "text": "", "next": logs["next"]}
    deleted = await http.delete("/v1/endpoints/chat")
    assert deleted.json() == {
        "id": made.json()["id"],
        "object": "endpoint.deleted",
        "deleted": True,
    }
    assert (await http.get("/v1/endpoints/chat")).status_code == 404


async def test_the_list_has_pages(http: httpx2.AsyncClient, endpoints: Endpoints) -> None:
    empty = (await http.get("/v1/endpoints")).json()
    assert empty == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }
    for name in ("a", "b", "c"):
        await endpoints.deploy("echo", name=name, engine="fake")
    first = (await http.get("/v1/endpoints", params={"limit": 2})).json()
    assert first["has_more"]
    second = (await http.get("/v1/endpoints", params={"after": first["last_id"]})).json()
    assert not second["has_more"]
    names = {endpoint["name"] for endpoint in first["data"] + second["data"]}
    assert names == {"a", "b", "c"}
    assert len(first["data"]) == 2


async def test_members_look_and_do_not_touch(
    http: httpx2.AsyncClient, endpoints: Endpoints
) -> None:
    await endpoints.deploy("echo", engine="fake")
    assert (await http.get("/v1/endpoints", headers=MEMBER)).status_code == 200
    assert (await http.get("/v1/endpoints/echo", headers=MEMBER)).status_code == 200
    body = {"model": "echo"}
    assert (await http.post("/v1/endpoints", json=body, headers=MEMBER)).status_code == 403
    assert (await http.delete("/v1/endpoints/echo", headers=MEMBER)).status_code == 403
    assert (await http.get("/v1/endpoints/echo/logs", headers=MEMBER)).status_code == 403
    bad = {"Authorization": "Bearer hs-none"}
    assert (await http.get("/v1/endpoints", headers=bad)).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({}, 400, "model"),
        ({"model": ""}, 400, "model"),
        ({"model": "echo", "idle_timeout": -1}, 400, "idle_timeout"),
        ({"model": "echo", "idle_timeout": 1e999}, 400, "idle_timeout"),
        ({"model": "echo", "replicas": 2}, 400, "replicas"),
        ({"model": "echo", "options": []}, 400, "options"),
        ({"model": "echo", "name": "a/b"}, 400, "cannot name an endpoint"),
        ({"model": "echo", "engine": "warp"}, 400, "no engine 'warp'"),
        ({"model": "smollm2-135m-instrukt"}, 404, "Did you mean 'smollm2-135m-instruct'?"),
    ],
)
async def test_what_cannot_be_deployed(
    http: httpx2.AsyncClient, body: dict[str, object], status: int, text: str
) -> None:
    content = json.dumps(body)
    headers = {"Content-Type": "application/json"}
    answer = await http.post("/v1/endpoints", content=content, headers=headers)
    assert answer.status_code == status
    assert text in answer.json()["error"]["message"]


async def test_a_name_that_is_taken_is_a_conflict(
    http: httpx2.AsyncClient, endpoints: Endpoints
) -> None:
    await endpoints.deploy("echo", engine="fake")
    answer = await http.post("/v1/endpoints", json={"model": "echo"})
    assert answer.status_code == 409
    assert "headstart endpoints delete echo" in answer.json()["error"]["message"]


@pytest.mark.parametrize("query", ["lines=0", "lines=x", "after=-1"])
async def test_log_ranges_that_cannot_be(
    http: httpx2.AsyncClient, endpoints: Endpoints, query: str
) -> None:
    await endpoints.deploy("echo", engine="fake")
    assert (await http.get(f"/v1/endpoints/echo/logs?{query}")).status_code == 400
