"""Conversations over HTTP, through the real `openai` package where that knows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from openai.types.conversations import Conversation, ConversationItemList, Message

from headstart.api import conversations
from headstart.records.turns import Turn
from tests.api.support import Backend, backend

PATH = "/v1/conversations"
ANNOTATION = {
    "type": "url_citation",
    "url_citation": {
        "url": "/passages/vs_1/chunk_1",
        "title": "handbook.pdf",
        "start_index": 4,
        "end_index": 7,
    },
    "file_citation": {
        "number": 1,
        "store_id": "vs_1",
        "file_id": "file-1",
        "filename": "handbook.pdf",
        "chunk_id": "chunk_1",
        "page": None,
        "start": 0,
        "end": 16,
        "quote": "Hold the button.",
        "headings": ["Reset"],
    },
}


@pytest.fixture
def server(home: Path) -> Iterator[Backend]:
    with backend(home, conversations.router) as server:
        yield server


def openai(server: Backend) -> OpenAI:
    return OpenAI(
        base_url="http://127.0.0.1:8080/v1",
        api_key=server.admin_key,
        http_client=server.client(),
        max_retries=0,
    )


def test_the_openai_package_keeps_conversations(server: Backend) -> None:
    client = openai(server)
    made = client.conversations.create(
        metadata={"topic": "demo"},
        items=[{"type": "message", "role": "user", "content": "Hello!"}],
    )
    assert isinstance(made, Conversation)
    assert made.metadata == {"topic": "demo"}
    assert client.conversations.retrieve(made.id).id == made.id
    assert client.conversations.update(made.id, metadata={"topic": "x"}).metadata == {"topic": "x"}
    added = client.conversations.items.create(
        made.id,
        items=[{"type": "message", "role": "assistant", "content": "Hi."}],
    )
    assert isinstance(added, ConversationItemList)
    items = list(client.conversations.items.list(made.id, order="asc", limit=1))
    assert all(isinstance(item, Message) for item in items)
    shown = [item.model_dump() for item in items]
    assert [(item["role"], item["content"][0]["text"]) for item in shown] == [
        ("user", "Hello!"),
        ("assistant", "Hi."),
    ]
    one = client.conversations.items.retrieve(items[0].id or "", conversation_id=made.id)
    assert one.id == items[0].id
    client.conversations.items.delete(items[0].id or "", conversation_id=made.id)
    assert len(list(client.conversations.items.list(made.id))) == 1
    assert client.conversations.delete(made.id).deleted
    assert server.admin().get(f"{PATH}/{made.id}").status_code == 404


def test_titles_and_the_list(server: Backend) -> None:
    admin = server.admin()
    made = admin.post(PATH).json()
    assert made["title"] is None
    assert made["object"] == "conversation"
    item = {"role": "user", "content": "How do I reset my password?"}
    admin.post(f"{PATH}/{made['id']}/items", json={"items": [item]})
    assert admin.get(f"{PATH}/{made['id']}").json()["title"] == "How do I reset my password?"
    renamed = admin.post(f"{PATH}/{made['id']}", json={"title": "Passwords"}).json()
    assert renamed["title"] == "Passwords"
    listed = admin.get(PATH).json()
    assert listed["data"] == [renamed]
    assert (listed["first_id"], listed["has_more"]) == (made["id"], False)


def test_an_answer_shows_its_citations(server: Backend) -> None:
    admin = server.admin()
    made = admin.post(PATH, json={}).json()
    turn = Turn(
        conversation_id=made["id"],
        question=None,
        answer={"role": "assistant", "content": "So. [1]", "annotations": [ANNOTATION]},
        complete=False,
        record_id="chatcmpl-1",
        alternative_to="chatcmpl-0",
        created_at=1.0,
    )
    with server.session() as session:
        server.conversations.append_turn(session, turn)
    (item,) = admin.get(f"{PATH}/{made['id']}/items").json()["data"]
    assert item["content"] == [
        {"type": "output_text", "text": "So. [1]", "refusal": None, "annotations": [ANNOTATION]}
    ]
    assert item["status"] == "incomplete"
    assert (item["record_id"], item["alternative_to"]) == ("chatcmpl-1", "chatcmpl-0")
    assert item["feedback"] == []


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        (PATH, {"metadata": {"k" * 65: "v"}}, None),
        (PATH, {"metadata": {"k": "v" * 513}}, "metadata.k"),
        (PATH, {"metadata": {str(number): "" for number in range(17)}}, "metadata"),
        (PATH, {"title": "x" * 1001}, "title"),
        (PATH, {"name": "x"}, "name"),
        ("items", {"items": []}, "items"),
        ("items", {"items": [{"role": "user", "content": "x"}] * 21}, "items"),
        ("items", {"items": [{"role": "robot", "content": "x"}]}, "items.0.role"),
        (
            "items",
            {"items": [{"type": "reasoning", "role": "user", "content": ""}]},
            "items.0.type",
        ),
    ],
)
def test_wrong_values_are_named(
    server: Backend, path: str, body: dict[str, Any], param: str | None
) -> None:
    admin = server.admin()
    if path == "items":
        path = f"{PATH}/{admin.post(PATH).json()['id']}/items"
    answer = admin.post(path, json=body)
    assert answer.status_code == 400
    assert param is None or answer.json()["error"]["param"] == param


def test_conversations_are_private(server: Backend) -> None:
    made = server.member("anna").post(PATH, json={}).json()
    bert = server.member("bert")
    path = f"{PATH}/{made['id']}"
    assert bert.get(PATH).json()["data"] == []
    for answer in (
        bert.get(path),
        bert.post(path, json={"title": "mine"}),
        bert.delete(path),
        bert.get(f"{path}/items"),
        bert.post(f"{path}/items", json={"items": [{"role": "user", "content": "x"}]}),
    ):
        assert answer.status_code == 404
    assert server.client().get(path).status_code == 401
    assert server.admin().get(path).status_code == 200
