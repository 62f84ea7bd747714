"""Records over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headstart.api import feedback, records
from headstart.storage.tables import RecordRow
from tests.api.support import Backend, backend
from tests.records.samples import row

PASSAGE = {
    "number": 1,
    "store_id": "vs_1",
    "file_id": "file-1",
    "filename": "handbook.pdf",
    "chunk_id": "chunk_1",
    "page": 3,
    "score": 0.75,
    "text": "Hold the button.",
    "cited": True,
}


@pytest.fixture
def server(home: Path) -> Iterator[Backend]:
    with backend(home, records.router, feedback.router) as server:
        yield server


def put(server: Backend, *rows: RecordRow) -> None:
    with server.session() as session:
        session.add_all(rows)


def test_a_record_has_everything_of_its_call(server: Backend) -> None:
    put(
        server,
        row(
            "chatcmpl-1",
            "How?",
            created_at=1_700_000_000.75,
            app="docs",
            prompt="<user>How?",
            passages=[PASSAGE],
            steps=[{"kind": "retrieval", "duration_ms": 3}],
            output={"choices": [{"index": 0, "message": {"content": "So. [1]"}}]},
            prompt_tokens=10,
            completion_tokens=3,
            versions={"headstart": "0.1.0"},
        ),
    )
    admin = server.admin()
    admin.post("/v1/feedback", json={"record_id": "chatcmpl-1", "metric": "rating", "value": 4})
    record = admin.get("/v1/records/chatcmpl-1").json()
    (said,) = record.pop("feedback")
    assert (said["metric"], said["value"]) == ("rating", 4)
    assert record == {
        "id": "chatcmpl-1",
        "object": "record",
        "kind": "chat",
        "created_at": 1_700_000_000,
        "model": "m",
        "endpoint": "m",
        "app": "docs",
        "key_id": "key_anna",
        "conversation_id": None,
        "alternative_to": None,
        "status": "completed",
        "error": None,
        "request": {"model": "m", "messages": [{"role": "user", "content": "How?"}]},
        "prompt": "<user>How?",
        "passages": [PASSAGE],
        "steps": [{"kind": "retrieval", "duration_ms": 3}],
        "output": {"choices": [{"index": 0, "message": {"content": "So. [1]"}}]},
        "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13},
        "first_token_ms": 1.0,
        "duration_ms": 2.0,
        "versions": {"headstart": "0.1.0"},
    }


def test_what_is_not_known_is_null_and_not_zero(server: Backend) -> None:
    put(server, row("cut", status="cancelled", prompt_tokens=None, completion_tokens=None))
    assert server.admin().get("/v1/records/cut").json()["usage"] is None


def test_filters_and_pages(server: Backend) -> None:
    put(
        server,
        *(row(f"r{number}", f"question {number}", created_at=number) for number in range(5)),
        row("failed", status="failed", app="docs", model="other", created_at=10),
    )
    admin = server.admin()

    def ids(**params: Any) -> list[str]:
        answer = admin.get("/v1/records", params=params).json()
        assert answer["object"] == "list"
        return [record["id"] for record in answer["data"]]

    assert ids() == ["failed", "r4", "r3", "r2", "r1", "r0"]
    assert ids(order="asc", limit=2) == ["r0", "r1"]
    assert ids(limit=2, after="r3") == ["r2", "r1"]
    assert ids(status="failed") == ids(app="docs") == ids(model="other") == ["failed"]
    assert ids(q="QUESTION 3") == ["r3"]
    assert ids(q="%") == []
    assert ids(created_after=3, created_before=4) == ["r3"]
    assert ids(metric="thumbs") == []


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"order": "up"}, "order"),
        ({"status": "done"}, "status"),
        ({"metric": "stars"}, "metric"),
        ({"q": "x" * 1001}, "q"),
        ({"after": "none"}, "after"),
        ({"created_after": "yesterday"}, "created_after"),
    ],
)
def test_wrong_filters_are_named(server: Backend, params: dict[str, Any], param: str) -> None:
    answer = server.admin().get("/v1/records", params=params)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_members_see_their_own(server: Backend) -> None:
    anna, secret = server.keys.create("anna")
    put(server, row("annas", key_id=anna.id), row("others"))
    client = server.client(secret)
    assert [record["id"] for record in client.get("/v1/records").json()["data"]] == ["annas"]
    assert client.get("/v1/records/annas").status_code == 200
    answer = client.get("/v1/records/others")
    assert answer.status_code == 404
    assert "No record 'others'" in answer.json()["error"]["message"]
    assert server.client().get("/v1/records").status_code == 401


def test_numbers_that_json_has_no_word_for_do_not_break_the_list(server: Backend) -> None:
    logprobs = {"content": [{"token": "a", "logprob": float("-inf")}]}
    put(server, row("odd", output={"choices": [{"index": 0, "logprobs": logprobs}]}))
    (record,) = server.admin().get("/v1/records").json()["data"]
    assert record["output"]["choices"][0]["logprobs"]["content"][0]["logprob"] is None
