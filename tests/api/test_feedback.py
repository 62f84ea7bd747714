"""Feedback over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headstart.api import feedback
from tests.api.support import Backend, backend
from tests.records.samples import row


@pytest.fixture
def server(home: Path) -> Iterator[Backend]:
    with backend(home, feedback.router) as server:
        with server.session() as session:
            session.add_all([row("chatcmpl-1", "why"), row("chatcmpl-2", "why"), row("r3", "what")])
        yield server


def give(server: Backend, metric: str, value: Any, record: str = "chatcmpl-1") -> Any:
    body = {"record_id": record, "metric": metric, "value": value}
    return server.admin().post("/v1/feedback", json=body)


def test_give_list_and_take_back(server: Backend) -> None:
    given = give(server, "thumbs", "down").json()
    assert given["id"].startswith("fb_")
    assert given["object"] == "feedback"
    assert (given["record_id"], given["metric"], given["value"]) == ("chatcmpl-1", "thumbs", False)
    preferred = give(server, "preference", {"over": "chatcmpl-2"}).json()
    admin = server.admin()
    listed = admin.get("/v1/feedback", params={"record_id": "chatcmpl-1"}).json()
    assert listed["data"] == [given, preferred]
    assert admin.delete(f"/v1/feedback/{given['id']}").json() == {
        "id": given["id"],
        "object": "feedback.deleted",
        "deleted": True,
    }
    assert admin.delete(f"/v1/feedback/{given['id']}").status_code == 404
    listed = admin.get("/v1/feedback", params={"record_id": "chatcmpl-1"}).json()
    assert listed["data"] == [preferred]


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"metric": "thumbs", "value": True}, 400, "record_id"),
        ({"record_id": "chatcmpl-1", "value": True}, 400, "metric"),
        ({"record_id": "chatcmpl-1", "metric": "thumbs"}, 400, "value"),
        ({"record_id": "chatcmpl-1", "metric": "stars", "value": 5}, 400, "metric"),
        ({"record_id": "chatcmpl-1", "metric": "rating", "value": 6}, 400, "value"),
        ({"record_id": "chatcmpl-1", "metric": "comment", "value": "x" * 100_001}, 400, "value"),
        ({"record_id": "chatcmpl-1", "metric": "comment", "value": [["x"]]}, 400, "value"),
        ({"record_id": "chatcmpl-1", "metric": "thumbs", "value": True, "by": 1}, 400, "by"),
        ({"record_id": "none", "metric": "thumbs", "value": True}, 404, "record_id"),
        (
            {"record_id": "chatcmpl-1", "metric": "preference", "value": {"over": "r3"}},
            400,
            "value.over",
        ),
    ],
)
def test_errors_name_the_field(
    server: Backend, body: dict[str, Any], status: int, param: str
) -> None:
    answer = server.admin().post("/v1/feedback", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["param"] == param


@pytest.mark.parametrize(
    ("record", "metric", "value", "status"),
    [
        ("chatcmpl-1", "comment", '"half an emoji: \\ud83d"', 200),
        ("chatcmpl-1", "comment", '"nothing: \\u0000"', 200),
        ("chatcmpl-1", "preference", '{"over": "\\ud800"}', 400),
        ("\\ud800", "thumbs", "true", 400),
    ],
)
def test_half_a_character_breaks_nothing(
    server: Backend, record: str, metric: str, value: str, status: int
) -> None:
    body = f'{{"record_id": "{record}", "metric": "{metric}", "value": {value}}}'
    headers = {"Content-Type": "application/json"}
    answer = server.admin().post("/v1/feedback", content=body, headers=headers)
    assert answer.status_code == status
    assert server.admin().get("/v1/feedback?record_id=chatcmpl-1").status_code == 200


def test_others_records_cannot_be_rated(server: Backend) -> None:
    member = server.member("anna")
    body = {"record_id": "chatcmpl-1", "metric": "thumbs", "value": True}
    assert member.post("/v1/feedback", json=body).status_code == 404
    given = give(server, "thumbs", True).json()
    assert member.delete(f"/v1/feedback/{given['id']}").status_code == 404
    assert server.client().post("/v1/feedback", json=body).status_code == 401
