"""The hub's routes over a real hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from headstart import settings
from headstart.api import errors
from headstart.api import hub as routes
from headstart.errors import Unauthenticated
from headstart.hub.hub import Hub
from headstart.security.principal import Principal, Role
from tests.hub.tiny_gguf import write_gguf


class Keys:
    def authenticate(self, secret: str) -> Principal:
        if secret != "hs-member":
            raise Unauthenticated("no such key")
        return Principal("key_1", "member", Role.MEMBER)


@pytest.fixture
def hub() -> Hub:
    return Hub(settings.load())


@pytest.fixture
def http(hub: Hub) -> Iterator[httpx2.Client]:
    api = FastAPI()
    errors.install(api)
    api.include_router(routes.router)
    api.state.services = SimpleNamespace(hub=hub, keys=Keys())
    with TestClient(api, headers={"Authorization": "Bearer hs-member"}) as client:
        yield client


def test_lists_the_catalogue(http: httpx2.Client) -> None:
    body = http.get("/v1/hub/models").json()
    assert (body["object"], body["has_more"]) == ("list", False)
    first = body["data"][0]
    assert (first["id"], first["object"]) == ("qwen2.5-coder-0.5b-instruct", "hub.model")
    assert first["installed"] is False
    assert set(first["fit"]) == {"fits", "needs", "free", "engine", "text"}
    assert first["variants"][0]["memory"]["openvino"] > 1e9


def test_filters_and_pages(http: httpx2.Client) -> None:
    found = http.get("/v1/hub/models", params={"task": "seq2seq", "limit": 2}).json()
    assert [model["id"] for model in found["data"]] == ["flan-t5-small", "flan-t5-base"]
    assert found["has_more"] is True
    rest = {"task": "seq2seq", "after": found["last_id"]}
    assert len(http.get("/v1/hub/models", params=rest).json()["data"]) == 3
    assert http.get("/v1/hub/models", params={"q": "coder 7b"}).json()["data"]
    assert http.get("/v1/hub/models", params={"installed": True}).json()["data"] == []
    assert http.get("/v1/hub/models", params={"task": "poetry"}).status_code in (400, 422)
    assert http.get("/v1/hub/models", params={"limit": 0}).status_code in (400, 422)


def test_a_local_model_is_among_them(http: httpx2.Client, hub: Hub, tmp_path: Path) -> None:
    write_gguf(tmp_path / "x.gguf")
    hub.add_local(tmp_path / "x.gguf", "mine")
    (mine,) = http.get("/v1/hub/models", params={"installed": True}).json()["data"]
    assert (mine["id"], mine["installed"], mine["installed_variant"]) == ("mine", True, "gguf")
    assert http.get("/v1/hub/models/mine").json()["id"] == "mine"


def test_an_unknown_model_is_404_with_a_suggestion(http: httpx2.Client) -> None:
    answer = http.get("/v1/hub/models/flan-t5-smal")
    assert answer.status_code == 404
    assert "Did you mean 'flan-t5-small'" in answer.json()["error"]["message"]
    assert http.get("/v1/hub/models/hf:org/repo").status_code == 404


def test_describes_the_machine(http: httpx2.Client) -> None:
    machine = http.get("/v1/hub/machine").json()
    assert machine["object"] == "machine"
    assert 0 < machine["memory_free"] <= machine["memory_total"]


def test_needs_a_key(http: httpx2.Client) -> None:
    for path in ("models", "models/x", "machine"):
        assert http.get(f"/v1/hub/{path}", headers={"Authorization": ""}).status_code == 401
