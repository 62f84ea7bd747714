"""Keys over HTTP, with OpenAI's own client types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai.types.admin.organization import AdminAPIKeyCreateResponse

from headstart.api import keys, session
from tests.api.support import Backend, backend

PATH = "/v1/organization/admin_api_keys"


@pytest.fixture
def server(home: Path) -> Iterator[Backend]:
    with backend(home, keys.router, session.router) as server:
        yield server


def test_the_life_of_a_key(server: Backend) -> None:
    admin = server.admin()
    body = {"name": "laptop", "expires_in_seconds": 3600}
    made = AdminAPIKeyCreateResponse.model_validate(admin.post(PATH, json=body).json())
    assert made.object == "organization.admin_api_key"
    assert made.owner.role == "member"
    assert made.expires_at == made.created_at + 3600
    assert server.client(made.value).get("/v1/session").json()["name"] == "laptop"

    shown = admin.get(f"{PATH}/{made.id}").json()
    assert shown["value"] is None
    assert made.value not in str(shown)
    assert shown["redacted_value"] == f"{made.value[:6]}…{made.value[-4:]}"
    listed = admin.get(PATH).json()
    used = {key["name"]: key["last_used_at"] for key in listed["data"]}
    assert set(used) == {"admin", "laptop"}
    assert used["laptop"] is not None
    assert not listed["has_more"]

    answer = admin.delete(f"{PATH}/{made.id}")
    assert answer.json() == {
        "id": made.id,
        "deleted": True,
        "object": "organization.admin_api_key.deleted",
    }
    assert server.client(made.value).get("/v1/session").status_code == 401
    assert admin.delete(f"{PATH}/{made.id}").status_code == 404
    assert len(admin.get(PATH).json()["data"]) == 1


def test_an_admin_key_can_make_others(server: Backend) -> None:
    made = server.admin().post(PATH, json={"name": "second", "role": "admin"}).json()
    assert server.client(made["value"]).get(PATH).status_code == 200


def test_members_and_strangers_may_not(server: Backend) -> None:
    member = server.member("anna")
    assert member.get(PATH).status_code == 403
    assert member.post(PATH, json={"name": "mine", "role": "admin"}).status_code == 403
    assert member.delete(f"{PATH}/key_admin").status_code == 403
    assert server.client().get(PATH).status_code == 401
    assert server.client("hs-wrong").get(PATH).headers["www-authenticate"] == "Bearer"


def test_the_last_admin_key_stays(server: Backend) -> None:
    answer = server.admin().delete(f"{PATH}/key_admin")
    assert answer.status_code == 409
    assert "Create another one first" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "x", "role": "owner"}, "role"),
        ({"name": "x", "expires_in_seconds": 0}, "expires_in_seconds"),
        ({"name": "x", "expires_in_seconds": 10**30}, "expires_in_seconds"),
        ({"name": "x", "scopes": []}, "scopes"),
    ],
)
def test_wrong_values_are_named(server: Backend, body: dict[str, Any], param: str) -> None:
    answer = server.admin().post(PATH, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_pages(server: Backend) -> None:
    admin = server.admin()
    for number in range(4):
        server.keys.create(f"key {number}")
    first = admin.get(PATH, params={"limit": 3}).json()
    rest = admin.get(PATH, params={"limit": 3, "after": first["last_id"]}).json()
    assert (len(first["data"]), first["has_more"]) == (3, True)
    assert (len(rest["data"]), rest["has_more"]) == (2, False)
    forwards = [key["id"] for key in first["data"] + rest["data"]]
    backwards = admin.get(PATH, params={"order": "desc"}).json()["data"]
    assert [key["id"] for key in backwards] == forwards[::-1]
    assert admin.get(PATH, params={"after": "key_none"}).status_code == 400
