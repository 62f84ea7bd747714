"""Items of a conversation: messages in OpenAI's `content` form, from what a chat call carries."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from headstart.records.turns import Turn
from headstart.storage.tables import ConversationItemRow, FeedbackRow
from headstart.storage.text import storable

TITLE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Item:
    """A message, and what the reader said about it if it is an answer."""

    row: ConversationItemRow
    feedback: list[FeedbackRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NewItem:
    """A message to add by hand. content: parts as `input_text` and `output_text` make them."""

    role: str
    content: list[dict[str, Any]]


def new_item_id() -> str:
    return f"msg_{secrets.token_hex(12)}"


def input_text(text: str) -> dict[str, Any]:
    return {"type": "input_text", "text": text}


def output_text(text: str, annotations: list[Any] | None = None) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": annotations or []}


def items_of(turn: Turn) -> list[dict[str, Any]]:
    """The columns of the items that a turn adds, `position` left open."""
    common = {"conversation_id": turn.conversation_id, "created_at": int(turn.created_at)}
    answer = {
        **common,
        "id": new_item_id(),
        "role": "assistant",
        "status": "completed" if turn.complete else "incomplete",
        "content": [_answer(turn.answer)],
        "record_id": turn.record_id,
        "alternative_to": turn.alternative_to,
    }
    if turn.question is None:
        return [answer]
    question = {
        **common,
        "id": new_item_id(),
        "role": turn.question.role,
        "status": "completed",
        "content": [input_text(turn.question.text)],
        "record_id": None,
        "alternative_to": None,
    }
    return [question, answer]


def title_from(text: str) -> str:
    """The first words of a message, as a title of one line."""
    line = " ".join(storable(text).split())
    if len(line) <= TITLE_LENGTH:
        return line
    words, _, _ = line[: TITLE_LENGTH + 1].rpartition(" ")
    return (words or line[:TITLE_LENGTH]).rstrip(" ,.;:") + "…"


def _answer(message: dict[str, Any]) -> dict[str, Any]:
    if message.get("refusal") and not message.get("content"):
        return {"type": "refusal", "refusal": message["refusal"]}
    return output_text(message.get("content") or "", message.get("annotations"))
