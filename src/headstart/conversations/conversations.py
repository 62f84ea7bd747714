"""Conversations: what was said, in order, so that a chat can be continued and looked up.

A conversation belongs to the key that began it. Its list is that key's own; an admin may open any
conversation by its id. Deleting one leaves the records of its calls: those are not the chat's.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, func, insert, select, update
from sqlalchemy.orm import Session

from headstart.conversations.items import Item, NewItem, items_of, new_item_id, title_from
from headstart.errors import NotFound
from headstart.records.turns import Turn
from headstart.security.principal import Principal
from headstart.storage.database import Database
from headstart.storage.paging import Order, Page, page
from headstart.storage.tables import ConversationItemRow, ConversationRow, FeedbackRow


class Conversations:
    """The conversations of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        principal: Principal,
        *,
        title: str = "",
        metadata: Mapping[str, str] | None = None,
        items: Sequence[NewItem] = (),
    ) -> ConversationRow:
        """A new conversation. Without a title, its first user message becomes that."""
        now = time.time()
        row = ConversationRow(
            id=f"conv_{secrets.token_hex(12)}",
            title=title_from(title),
            attributes=dict(metadata or {}),
            key_id=principal.key_id,
            created_at=int(now),
            updated_at=now,
        )
        with self._database.session() as session:
            session.add(row)
            session.flush()
            _append(session, row.id, [_columns(row.id, item) for item in items])
            session.refresh(row)
        return row

    def require(self, id: str, principal: Principal) -> ConversationRow:
        """The conversation, if this caller may use it. Raises `NotFound`."""
        with self._database.session() as session:
            return _require(session, id, principal)

    def list(
        self,
        principal: Principal,
        *,
        after: str | None = None,
        limit: int = 20,
        order: Order = "desc",
    ) -> Page[ConversationRow]:
        """The caller's own, the last used first."""
        query = select(ConversationRow).where(ConversationRow.key_id == principal.key_id)
        keys = (ConversationRow.updated_at, ConversationRow.id)
        with self._database.session() as session:
            return page(session, query, keys, after=after, limit=limit, order=order)

    def update(
        self,
        id: str,
        principal: Principal,
        *,
        title: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ConversationRow:
        """Replace what is given."""
        with self._database.session() as session:
            row = _require(session, id, principal)
            if title is not None:
                row.title = title_from(title)
            if metadata is not None:
                row.attributes = dict(metadata)
            return row

    def delete(self, id: str, principal: Principal) -> None:
        with self._database.session() as session:
            session.delete(_require(session, id, principal))

    # --- items ----------------------------------------------------------------------------------

    def items(
        self,
        id: str,
        principal: Principal,
        *,
        after: str | None = None,
        limit: int = 20,
        order: Order = "desc",
    ) -> Page[Item]:
        """Messages with the caller's own feedback on them."""
        query = select(ConversationItemRow).where(ConversationItemRow.conversation_id == id)
        keys = (ConversationItemRow.position, ConversationItemRow.id)
        with self._database.session() as session:
            _require(session, id, principal)
            rows = page(session, query, keys, after=after, limit=limit, order=order)
            return Page(_with_feedback(session, rows.data, principal), rows.has_more)

    def item(self, id: str, item_id: str, principal: Principal) -> Item:
        with self._database.session() as session:
            row = _require_item(session, id, item_id, principal)
            return _with_feedback(session, [row], principal)[0]

    def add_items(self, id: str, principal: Principal, items: Sequence[NewItem]) -> Sequence[Item]:
        """Put messages at the end, all or none."""
        columns = [_columns(id, item) for item in items]
        with self._database.session() as session:
            _require(session, id, principal)
            _append(session, id, columns)
            ids = [each["id"] for each in columns]
            rows = session.scalars(
                select(ConversationItemRow)
                .where(ConversationItemRow.id.in_(ids))
                .order_by(ConversationItemRow.position)
            )
            return [Item(row) for row in rows]

    def delete_item(self, id: str, item_id: str, principal: Principal) -> None:
        with self._database.session() as session:
            session.delete(_require_item(session, id, item_id, principal))

    def append_turn(self, session: Session, turn: Turn) -> None:
        """Add a question and its answer within a session, which commits them with their record.

        A conversation that was deleted while the answer was made stays deleted.
        """
        _append(session, turn.conversation_id, items_of(turn))


def _append(session: Session, id: str, items: Sequence[dict[str, Any]]) -> None:
    # The update comes first: it takes the write lock that makes reading the last position safe.
    touched = session.execute(
        update(ConversationRow)
        .where(ConversationRow.id == id)
        .values(updated_at=time.time())
        .execution_options(synchronize_session=False)
    )
    if not cast("CursorResult[Any]", touched).rowcount or not items:
        return
    last = session.scalar(
        select(func.max(ConversationItemRow.position)).where(
            ConversationItemRow.conversation_id == id
        )
    )
    start = 0 if last is None else last + 1
    rows = [{**item, "position": start + offset} for offset, item in enumerate(items)]
    session.execute(insert(ConversationItemRow), rows)
    asked = next((item for item in items if item["role"] == "user"), None)
    if asked is not None:
        text = " ".join(str(part.get("text") or "") for part in asked["content"])
        session.execute(
            update(ConversationRow)
            .where(ConversationRow.id == id, ConversationRow.title == "")
            .values(title=title_from(text))
            .execution_options(synchronize_session=False)
        )


def _columns(id: str, item: NewItem) -> dict[str, Any]:
    return {
        "id": new_item_id(),
        "conversation_id": id,
        "role": item.role,
        "status": "completed",
        "content": item.content,
        "record_id": None,
        "alternative_to": None,
        "created_at": int(time.time()),
    }


def _require(session: Session, id: str, principal: Principal) -> ConversationRow:
    row = session.get(ConversationRow, id)
    if row is None or not (principal.is_admin or row.key_id == principal.key_id):
        raise NotFound(f"No conversation '{id}'.", param="conversation")
    return row


def _require_item(
    session: Session, id: str, item_id: str, principal: Principal
) -> ConversationItemRow:
    _require(session, id, principal)
    row = session.get(ConversationItemRow, item_id)
    if row is None or row.conversation_id != id:
        raise NotFound(f"No item '{item_id}' in conversation '{id}'.", param="item_id")
    return row


def _with_feedback(
    session: Session, rows: Sequence[ConversationItemRow], principal: Principal
) -> list[Item]:
    items = [Item(row) for row in rows]
    answers = {item.row.record_id: item for item in items if item.row.record_id is not None}
    query = select(FeedbackRow).where(
        FeedbackRow.record_id.in_(answers), FeedbackRow.key_id == principal.key_id
    )
    for row in session.scalars(query.order_by(FeedbackRow.created_at, FeedbackRow.id)):
        answers[row.record_id].feedback.append(row)
    return items
