"""Records: every call that was answered, kept whole, with the feedback that hangs on it.

Writing goes through `GroupCommit`. Members see what their own key called; admins see everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from headstart.errors import NotFound
from headstart.records.commits import Also, Columns, GroupCommit
from headstart.security.principal import Principal
from headstart.storage.database import Database
from headstart.storage.paging import Order, Page, page
from headstart.storage.tables import FeedbackRow, RecordRow


@dataclass(frozen=True, slots=True)
class Record:
    """A call and what people said about its answer, oldest first."""

    row: RecordRow
    feedback: list[FeedbackRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records; what is None does not matter."""

    model: str | None = None
    app: str | None = None
    status: str | None = None
    conversation: str | None = None
    metric: str | None = None  # with feedback of this metric
    q: str | None = None  # text in the last user message or the answer, in any case
    created_after: float | None = None  # inclusive, Unix seconds
    created_before: float | None = None  # exclusive


class Records:
    """The records of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = GroupCommit(database)

    async def start(self) -> None:
        await self._writer.start()

    async def stop(self) -> None:
        await self._writer.stop()

    async def append(self, row: Columns | None, also: Also | None = None) -> None:
        """Returns once the row is durable; `also` is committed with it, whole or not at all."""
        await self._writer.append(row, also)

    def submit(self, row: Columns | None, also: Also | None = None) -> None:
        """The same without waiting, for calls whose caller has gone."""
        self._writer.submit(row, also)

    def get(self, id: str, principal: Principal, *, param: str = "id") -> Record:
        """Raises `NotFound`, also for records that this caller may not see."""
        with self._database.session() as session:
            return _with_feedback(session, [require_record(session, id, principal, param)])[0]

    def list(
        self,
        principal: Principal,
        where: RecordFilter | None = None,
        *,
        after: str | None = None,
        limit: int = 20,
        order: Order = "desc",
    ) -> Page[Record]:
        query = _filtered(_visible(principal), where or RecordFilter())
        keys = (RecordRow.created_at, RecordRow.id)
        with self._database.session() as session:
            rows = page(session, query, keys, after=after, limit=limit, order=order)
            return Page(_with_feedback(session, rows.data), rows.has_more)


def require_record(session: Session, id: str, principal: Principal, param: str) -> RecordRow:
    """The record, if this caller may see it. Raises `NotFound`, which names `param`."""
    row = session.scalar(_visible(principal).where(RecordRow.id == id))
    if row is None:
        raise NotFound(
            f"No record '{id}'. Calls made with store: false, or by other keys, are not among your "
            "records.",
            param=param,
        )
    return row


def searchable(text: str) -> str:
    """Text as `RecordRow.text` holds it and as `q` looks for it: in no particular case."""
    return text.casefold()


def _visible(principal: Principal) -> Select[RecordRow]:
    query = select(RecordRow)
    return query if principal.is_admin else query.where(RecordRow.key_id == principal.key_id)


def _filtered(query: Select[RecordRow], where: RecordFilter) -> Select[RecordRow]:
    for column, value in (
        (RecordRow.model, where.model),
        (RecordRow.app, where.app),
        (RecordRow.status, where.status),
        (RecordRow.conversation_id, where.conversation),
    ):
        if value is not None:
            query = query.where(column == value)
    if where.created_after is not None:
        query = query.where(RecordRow.created_at >= where.created_after)
    if where.created_before is not None:
        query = query.where(RecordRow.created_at < where.created_before)
    if where.q:
        query = query.where(RecordRow.text.contains(searchable(where.q), autoescape=True))
    if where.metric is not None:
        query = query.where(
            select(FeedbackRow.id)
            .where(FeedbackRow.record_id == RecordRow.id, FeedbackRow.metric == where.metric)
            .exists()
        )
    return query


def _with_feedback(session: Session, rows: Sequence[RecordRow]) -> list[Record]:
    records = {row.id: Record(row) for row in rows}
    feedback = select(FeedbackRow).where(FeedbackRow.record_id.in_(records))
    for row in session.scalars(feedback.order_by(FeedbackRow.created_at, FeedbackRow.id)):
        records[row.record_id].feedback.append(row)
    return list(records.values())
