"""Feedback: what people say about an answer, so that a model can learn from it.

Of thumbs, rating and correction a key has one per record, the newest; of preferences one per pair
of records, in whichever direction was last; comments accumulate. Undoing is deleting.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import Counter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from headstart.errors import BadRequest, NotFound
from headstart.records.records import require_record
from headstart.security.principal import Principal
from headstart.storage.database import Database
from headstart.storage.tables import FeedbackRow, RecordRow
from headstart.storage.text import storable

MAX_TEXT = 100_000  # characters of a comment or correction

_given = Counter("headstart_feedback", "Feedback given.", ["metric"])


class FeedbackStore:
    """The feedback of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record_id: str, metric: str, value: object, principal: Principal) -> FeedbackRow:
        """Say something about a record that the caller may see. Raises `BadRequest`, `NotFound`."""
        validated = _validate(metric, value)
        row = FeedbackRow(
            id=f"fb_{secrets.token_hex(12)}",
            record_id=record_id,
            metric=metric,
            value={"value": validated},
            key_id=principal.key_id,
            created_at=time.time(),
        )
        with self._database.session() as session:
            record = require_record(session, record_id, principal, param="record_id")
            if metric == "preference":
                other = require_record(session, validated["over"], principal, param="value.over")
                _check_pair(record, other)
                _forget_preference(session, record_id, other.id, principal)
            elif metric != "comment":
                session.execute(
                    delete(FeedbackRow).where(
                        FeedbackRow.record_id == record_id,
                        FeedbackRow.metric == metric,
                        FeedbackRow.key_id == principal.key_id,
                    )
                )
            session.add(row)
        _given.labels(metric).inc()
        return row

    def list(self, record_id: str, principal: Principal) -> list[FeedbackRow]:
        """What was said about a record, oldest first."""
        with self._database.session() as session:
            require_record(session, record_id, principal, param="record_id")
            query = select(FeedbackRow).where(FeedbackRow.record_id == record_id)
            return list(session.scalars(query.order_by(FeedbackRow.created_at, FeedbackRow.id)))

    def delete(self, id: str, principal: Principal) -> None:
        """Take feedback back; a member only their own."""
        with self._database.session() as session:
            row = session.get(FeedbackRow, id)
            if row is None or not (principal.is_admin or row.key_id == principal.key_id):
                raise NotFound(f"No feedback '{id}'.", param="id")
            session.delete(row)


def _thumbs(value: object) -> bool:
    named = {"up": True, "down": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in named:
        return named[value]
    raise BadRequest('value: thumbs is true or "up", false or "down"', param="value")


def _rating(value: object) -> float | int:
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 5:
        return value
    raise BadRequest("value: rating is a number from 1 to 5", param="value")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadRequest("value: a comment or correction is a text, not empty", param="value")
    if len(value) > MAX_TEXT:
        raise BadRequest(
            f"value: {len(value)} characters; a comment or correction has at most {MAX_TEXT}",
            param="value",
        )
    return storable(value)


def _preference(value: object) -> dict[str, str]:
    if isinstance(value, Mapping) and set(value) == {"over"} and isinstance(value["over"], str):
        return {"over": value["over"]}
    raise BadRequest(
        'value: preference is {"over": "<id of the other record>"}; record_id is the better one',
        param="value",
    )


_METRICS: dict[str, Callable[[object], Any]] = {
    "thumbs": _thumbs,
    "rating": _rating,
    "comment": _text,
    "correction": _text,
    "preference": _preference,
}


def _validate(metric: str, value: object) -> Any:
    if metric not in _METRICS:
        raise BadRequest(f"metric: '{metric}' is none of {', '.join(_METRICS)}", param="metric")
    return _METRICS[metric](value)


def _check_pair(record: RecordRow, other: RecordRow) -> None:
    """Two answers can be compared when they answer the same thing."""
    if record.id == other.id:
        raise BadRequest("value.over: a record cannot be better than itself", param="value.over")
    linked = other.id == record.alternative_to or record.id == other.alternative_to
    if not linked and _asked(record) != _asked(other):
        raise BadRequest(
            f"value.over: '{other.id}' answers another question than '{record.id}'. A preference "
            "is between two answers to the same last user message (or prompt).",
            param="value.over",
        )


def _asked(record: RecordRow) -> object:
    """What an answer answers: the kind of call, and the last user message or the prompt."""
    messages = record.request.get("messages", [])
    asked = [message.get("content") for message in messages if message.get("role") == "user"]
    return record.kind, asked[-1:] or record.request.get("prompt")


def _forget_preference(session: Session, one: str, other: str, principal: Principal) -> None:
    query = select(FeedbackRow).where(
        FeedbackRow.record_id.in_((one, other)),
        FeedbackRow.metric == "preference",
        FeedbackRow.key_id == principal.key_id,
    )
    for row in session.scalars(query):
        if {row.record_id, row.value["value"]["over"]} == {one, other}:
            session.delete(row)
