"""What a chat call becomes in its conversation."""

from __future__ import annotations

from typing import Any

import pytest

from headstart.conversations.items import TITLE_LENGTH, items_of, title_from
from headstart.records.turns import Turn
from headstart.serving.requests import Message


def turn(answer: dict[str, Any], question: Any = "Why?", **changed: Any) -> Turn:
    message = None if question is None else Message.model_validate(question)
    values: dict[str, Any] = {
        "conversation_id": "conv_1",
        "question": message,
        "answer": answer,
        "complete": True,
        "record_id": "chatcmpl-1",
        "alternative_to": None,
        "created_at": 12.9,
    }
    return Turn(**{**values, **changed})


def test_a_question_and_its_answer() -> None:
    citation = {"type": "url_citation", "url_citation": {"url": "/passages/a/b"}}
    question, answer = items_of(
        turn(
            {"role": "assistant", "content": "So. [1]", "annotations": [citation]},
            {
                "role": "user",
                "content": [{"type": "text", "text": "Why"}, {"type": "text", "text": "?"}],
            },
        )
    )
    assert question["role"] == "user"
    assert question["content"] == [{"type": "input_text", "text": "Why?"}]
    assert question["record_id"] is None
    assert answer["role"] == "assistant"
    assert answer["content"] == [
        {"type": "output_text", "text": "So. [1]", "annotations": [citation]}
    ]
    assert answer["record_id"] == "chatcmpl-1"
    assert question["created_at"] == answer["created_at"] == 12
    assert question["id"].startswith("msg_")
    assert question["id"] != answer["id"]


def test_an_alternative_has_no_question_of_its_own() -> None:
    (answer,) = items_of(turn({"content": "So."}, None, alternative_to="chatcmpl-0"))
    assert answer["alternative_to"] == "chatcmpl-0"


def test_an_answer_that_was_stopped_says_so() -> None:
    assert items_of(turn({"content": "So"}, None, complete=False))[0]["status"] == "incomplete"


def test_refusals_and_answers_without_text() -> None:
    (refused,) = items_of(turn({"content": None, "refusal": "I cannot."}, None))
    assert refused["content"] == [{"type": "refusal", "refusal": "I cannot."}]
    (called,) = items_of(turn({"content": None, "tool_calls": [{}]}, None))
    assert called["content"] == [{"type": "output_text", "text": "", "annotations": []}]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("", ""),
        (" \n\t ", ""),
        ("How do I\n\n  reset it?", "How do I reset it?"),
        ("x" * TITLE_LENGTH, "x" * TITLE_LENGTH),
        ("x" * 500, "x" * TITLE_LENGTH + "…"),
        ("word " * 30, "word word word word word word word word word word word word…"),
        ("half an emoji \ud83d", "half an emoji ?"),
        ("A" * 50 + ", and then more than fits", "A" * 50 + ", and then…"),
        ("Was ist das? " * 20, "Was ist das? Was ist das? Was ist das? Was ist das? Was ist…"),
    ],
)
def test_titles_are_one_short_line_of_whole_words(text: str, title: str) -> None:
    assert title_from(text) == title
    assert len(title_from(text)) <= TITLE_LENGTH + 1
