"""Conversations: kept in order, seen by their owner, gone when deleted."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from sqlalchemy import text

from headstart.conversations.conversations import Conversations
from headstart.conversations.items import Item, NewItem, input_text, output_text
from headstart.errors import BadRequest, NotFound
from headstart.records.feedback import FeedbackStore
from headstart.records.recorded import Recorded
from headstart.records.records import Records
from headstart.serving.base import Call
from headstart.serving.requests import ChatRequest
from headstart.storage.database import Database
from tests.records.samples import ADMIN, ANNA, BERT, Scripted


def said(conversations: Conversations, id: str) -> list[tuple[str, str]]:
    page = conversations.items(id, ANNA, limit=100, order="asc")
    return [(item.row.role, item.row.content[0]["text"]) for item in page.data]


def user(text: str) -> NewItem:
    return NewItem("user", [input_text(text)])


def test_the_first_user_message_becomes_the_title(conversations: Conversations) -> None:
    row = conversations.create(ANNA)
    assert row.title == ""
    conversations.add_items(row.id, ANNA, [NewItem("system", [input_text("Be brief.")])])
    assert conversations.require(row.id, ANNA).title == ""
    conversations.add_items(row.id, ANNA, [user("How do I reset\nmy password?")])
    conversations.add_items(row.id, ANNA, [user("And now?")])
    assert conversations.require(row.id, ANNA).title == "How do I reset my password?"


def test_a_conversation_can_start_with_everything(conversations: Conversations) -> None:
    items = [user("Hello"), NewItem("assistant", [output_text("Hi")])]
    row = conversations.create(ANNA, title="Greeting", metadata={"topic": "x"}, items=items)
    assert (row.title, row.attributes) == ("Greeting", {"topic": "x"})
    assert said(conversations, row.id) == [("user", "Hello"), ("assistant", "Hi")]


def test_updates_replace_what_is_given(conversations: Conversations) -> None:
    row = conversations.create(ANNA, title="Old", metadata={"a": "1"})
    assert conversations.update(row.id, ANNA, title="New").attributes == {"a": "1"}
    assert conversations.update(row.id, ANNA, metadata={"b": "2"}).title == "New"
    assert conversations.require(row.id, ANNA).attributes == {"b": "2"}


def test_the_list_has_ones_own_with_the_last_used_first(
    conversations: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    first, second, third = (conversations.create(ANNA).id for _ in range(3))
    conversations.create(BERT)
    conversations.add_items(first, ANNA, [user("again")])
    listed = [row.id for row in conversations.list(ANNA).data]
    assert listed == [first, third, second]
    page = conversations.list(ANNA, limit=2)
    assert page.has_more
    rest = conversations.list(ANNA, limit=2, after=page.data[-1].id)
    assert ([row.id for row in rest.data], rest.has_more) == ([second], False)


def test_others_do_not_see_it_and_admins_do_by_id(conversations: Conversations) -> None:
    chat = conversations.create(ANNA, items=[user("secret")]).id
    item = conversations.items(chat, ANNA).data[0].row.id
    for attempt in (
        lambda: conversations.require(chat, BERT),
        lambda: conversations.update(chat, BERT, title="mine"),
        lambda: conversations.delete(chat, BERT),
        lambda: conversations.items(chat, BERT),
        lambda: conversations.item(chat, item, BERT),
        lambda: conversations.add_items(chat, BERT, [user("hi")]),
        lambda: conversations.delete_item(chat, item, BERT),
        lambda: conversations.require("conv_none", ANNA),
    ):
        with pytest.raises(NotFound, match="No conversation"):
            attempt()
    assert conversations.require(chat, ADMIN).id == chat
    assert conversations.list(ADMIN).data == []


def test_items_page_in_both_directions(conversations: Conversations) -> None:
    chat = conversations.create(ANNA).id
    for start in range(0, 25, 5):
        conversations.add_items(chat, ANNA, [user(str(start + offset)) for offset in range(5)])

    def walk(order: Any) -> list[str]:
        texts: list[str] = []
        after = None
        while True:
            page = conversations.items(chat, ANNA, after=after, limit=7, order=order)
            texts += [item.row.content[0]["text"] for item in page.data]
            if not page.has_more:
                return texts
            after = page.data[-1].row.id

    assert walk("asc") == [str(number) for number in range(25)]
    assert walk("desc") == [str(number) for number in reversed(range(25))]
    other = conversations.create(ANNA, items=[user("x")]).id
    foreign = conversations.items(other, ANNA).data[0].row.id
    with pytest.raises(BadRequest, match="not in this list"):
        conversations.items(chat, ANNA, after=foreign)
    with pytest.raises(NotFound, match="No item"):
        conversations.item(chat, foreign, ANNA)


def test_deleting(conversations: Conversations, database: Database) -> None:
    chat = conversations.create(ANNA, items=[user("one"), user("two")]).id
    conversations.delete_item(
        chat, conversations.items(chat, ANNA, order="asc").data[0].row.id, ANNA
    )
    assert said(conversations, chat) == [("user", "two")]
    conversations.delete(chat, ANNA)
    with pytest.raises(NotFound):
        conversations.require(chat, ANNA)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM conversation_items")).scalar() == 0


def test_many_who_add_at_once_leave_one_order(conversations: Conversations) -> None:
    chat = conversations.create(ANNA).id

    def add(name: str) -> None:
        for number in range(10):
            conversations.add_items(
                chat, ANNA, [user(f"{name}{number}a"), user(f"{name}{number}b")]
            )

    threads = [threading.Thread(target=add, args=(name,)) for name in "xyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page = conversations.items(chat, ANNA, limit=100, order="asc")
    assert [item.row.position for item in page.data] == list(range(60))
    texts = [item.row.content[0]["text"] for item in page.data]
    assert all(
        first[:-1] == second[:-1] for first, second in zip(texts[::2], texts[1::2], strict=True)
    )


def call(id: str) -> Call:
    return Call(id=id, principal=ANNA)


def ask(conversation: str, text: str = "Count", **more: Any) -> ChatRequest:
    messages = [{"role": "user", "content": text}]
    body = {"model": "m", "messages": messages, "conversation": conversation, **more}
    return ChatRequest.model_validate(body)


async def test_chat_calls_build_the_conversation(
    conversations: Conversations, database: Database
) -> None:
    records = Records(database)
    await records.start()
    recorded = Recorded(Scripted(), records, conversations)
    chat = conversations.create(ANNA).id
    await recorded.answer(call("r1"), ask(chat, "Count to three"))
    await recorded.answer(call("r2"), ask(chat, "Count to three", regenerates="r1"))
    await recorded.answer(call("r3"), ask(chat, "Again"))
    feedback = FeedbackStore(database)
    feedback.add("r2", "preference", {"over": "r1"}, ANNA)
    feedback.add("r2", "thumbs", True, ADMIN)
    await records.stop()

    items = conversations.items(chat, ANNA, order="asc").data
    assert [shape(item) for item in items] == [
        ("user", None, None, []),
        ("assistant", "r1", None, []),
        ("assistant", "r2", "r1", ["preference"]),  # one's own feedback, not the admin's
        ("user", None, None, []),
        ("assistant", "r3", None, []),
    ]
    assert conversations.require(chat, ANNA).title == "Count to three"


def shape(item: Item) -> tuple[str, str | None, str | None, list[str]]:
    metrics = [feedback.metric for feedback in item.feedback]
    return item.row.role, item.row.record_id, item.row.alternative_to, metrics


async def test_a_conversation_deleted_meanwhile_costs_nobody_the_answer(
    conversations: Conversations, database: Database
) -> None:
    records = Records(database)
    await records.start()
    recorded = Recorded(Scripted(), records, conversations)
    gone, kept = (conversations.create(ANNA).id for _ in range(2))

    async def delete_while_answering() -> str:
        answer = ""
        async for chunk in recorded.chat(call("r1"), ask(gone)):
            conversations_left = [row.id for row in conversations.list(ANNA).data]
            if gone in conversations_left:
                conversations.delete(gone, ANNA)
            answer += "".join(choice.delta.content or "" for choice in chunk.choices)
        return answer

    first, _ = await asyncio.gather(
        delete_while_answering(), recorded.answer(call("r2"), ask(kept))
    )
    await records.stop()
    assert first == "one two three"
    assert records.get("r1", ANNA).row.conversation_id == gone
    assert len(conversations.items(kept, ANNA).data) == 2


async def test_another_persons_conversation_is_refused(
    conversations: Conversations, database: Database
) -> None:
    records = Records(database)
    await records.start()
    theirs = conversations.create(BERT).id
    with pytest.raises(NotFound) as caught:
        await Recorded(Scripted(), records, conversations).answer(call("r1"), ask(theirs))
    assert caught.value.param == "conversation"
    await records.stop()
    assert conversations.items(theirs, BERT).data == []
