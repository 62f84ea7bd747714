"""Vector stores: a name, an embedding model, and the files that belong to it (OpenAI's resource).

This is the list of what should be in an index and how far that is; the chunks themselves are in
`index.py`. Everything here blocks.
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from headstart.errors import NotFound
from headstart.storage.database import Database
from headstart.storage.paging import Order, Page, page
from headstart.storage.tables import FileRow, VectorStoreFileRow, VectorStoreRow

STATUSES = ("in_progress", "completed", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Member:
    """A file as a member of a vector store."""

    row: VectorStoreFileRow
    file: FileRow


@dataclass(frozen=True, slots=True)
class Membership:
    """How a file is to join a vector store."""

    file_id: str
    attributes: dict[str, Any]
    chunking: dict[str, Any]  # OpenAI's chunking_strategy; empty is "auto"
    path: str | None = None  # on the server's disk, where a sync found it
    modified_ns: int | None = None


class VectorStores:
    """The vector stores of this server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        name: str,
        embedding_model: str,
        *,
        paths: Sequence[str] = (),
        metadata: dict[str, Any] | None = None,
    ) -> VectorStoreRow:
        now = int(time.time())
        row = VectorStoreRow(
            id=f"vs_{secrets.token_hex(12)}",
            name=name,
            embedding_model=embedding_model,
            paths=list(paths),
            attributes=metadata or {},
            created_at=now,
            last_active_at=now,
        )
        with self._database.session() as session:
            session.add(row)
        return row

    def get(self, store_id: str) -> VectorStoreRow:
        with self._database.session() as session:
            return _store(session, store_id)

    def named(self, name: str) -> VectorStoreRow | None:
        """The store of that name; the oldest, should there be several."""
        query = select(VectorStoreRow).where(VectorStoreRow.name == name)
        query = query.order_by(VectorStoreRow.created_at, VectorStoreRow.id).limit(1)
        with self._database.session() as session:
            return session.scalar(query)

    def list(
        self,
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        order: Order = "desc",
    ) -> Page[VectorStoreRow]:
        keys = (VectorStoreRow.created_at, VectorStoreRow.id)
        query = select(VectorStoreRow)
        with self._database.session() as session:
            return page(session, query, keys, after=after, before=before, limit=limit, order=order)

    def ids(self) -> set[str]:
        with self._database.session() as session:
            return set(session.scalars(select(VectorStoreRow.id)))

    def update(self, store_id: str, **changes: Any) -> VectorStoreRow:
        """Set columns of the store: name, attributes, paths, last_active_at."""
        with self._database.session() as session:
            row = _store(session, store_id)
            for column, value in changes.items():
                setattr(row, column, value)
            return row

    def delete(self, store_id: str) -> None:
        """Forget the store and its memberships; the files stay."""
        with self._database.session() as session:
            session.delete(_store(session, store_id))

    def counts(self, store_ids: Iterable[str]) -> dict[str, dict[str, int]]:
        """Per store: files by status, `total`, and `usage_bytes`."""
        row = VectorStoreFileRow
        ids = list(store_ids)
        query = (
            select(row.store_id, row.status, func.count(), func.sum(row.usage_bytes))
            .where(row.store_id.in_(ids))
            .group_by(row.store_id, row.status)
        )
        keys = (*STATUSES, "total", "usage_bytes")
        counts = {store_id: dict.fromkeys(keys, 0) for store_id in ids}
        with self._database.session() as session:
            for store_id, status, count, usage in session.execute(query):
                counts[store_id][status] += count
                counts[store_id]["total"] += count
                counts[store_id]["usage_bytes"] += int(usage or 0)
        return counts

    # --- the files of a store -------------------------------------------------------------

    def attach(self, store_id: str, memberships: Sequence[Membership]) -> None:
        """Make files members that await their ingestion; a member already is to be read again."""
        now = int(time.time())
        with self._database.session() as session:
            _store(session, store_id).last_active_at = now
            for each in memberships:
                if session.get(FileRow, each.file_id) is None:
                    raise NotFound(
                        f"No file '{each.file_id}'.", param="file_id", code="file_not_found"
                    )
                present = session.get(VectorStoreFileRow, (store_id, each.file_id))
                session.merge(
                    VectorStoreFileRow(
                        store_id=store_id,
                        file_id=each.file_id,
                        path=each.path,
                        modified_ns=each.modified_ns,
                        status="in_progress",
                        error_code=None,
                        error=None,
                        attributes=each.attributes,
                        chunking=each.chunking,
                        chunks=present.chunks if present else 0,
                        usage_bytes=0,
                        created_at=now,
                    )
                )

    def member(self, store_id: str, file_id: str) -> Member:
        with self._database.session() as session:
            _store(session, store_id)
            row = session.get(VectorStoreFileRow, (store_id, file_id))
            file = session.get(FileRow, file_id)
        if row is None or file is None:
            raise NotFound(
                f"No file '{file_id}' in vector store '{store_id}'.",
                param="file_id",
                code="file_not_found",
            )
        return Member(row, file)

    def members(
        self,
        store_id: str,
        *,
        status: str | None = None,
        file_ids: Sequence[str] | None = None,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        order: Order = "desc",
    ) -> Page[Member]:
        """Files of the store, those of a status or those named."""
        row = VectorStoreFileRow
        query = select(row).where(row.store_id == store_id)
        if status is not None:
            query = query.where(row.status == status)
        if file_ids is not None:
            query = query.where(row.file_id.in_(file_ids))
        keys = (row.created_at, row.file_id)
        with self._database.session() as session:
            _store(session, store_id)
            found = page(session, query, keys, after=after, before=before, limit=limit, order=order)
            data = [Member(each, session.get_one(FileRow, each.file_id)) for each in found.data]
        return Page(data, found.has_more)

    def synced(self, store_id: str) -> Sequence[Member]:
        """All members that a sync made, oldest first."""
        row = VectorStoreFileRow
        query = (
            select(row, FileRow)
            .join(FileRow, FileRow.id == row.file_id)
            .where(row.store_id == store_id, row.path.is_not(None))
            .order_by(row.file_id)
        )
        with self._database.session() as session:
            return [Member(*each) for each in session.execute(query).all()]

    def statuses(self, store_id: str, file_ids: Sequence[str]) -> dict[str, str]:
        """The status of those of the files that are members."""
        row = VectorStoreFileRow
        query = select(row.file_id, row.status).where(row.store_id == store_id)
        with self._database.session() as session:
            rows = session.execute(query).all()
        wanted = set(file_ids)
        return {file_id: status for file_id, status in rows if file_id in wanted}

    def unfinished(self) -> dict[str, Sequence[str]]:
        """Per store: the files that await their ingestion."""
        row = VectorStoreFileRow
        query = select(row.store_id, row.file_id).where(row.status == "in_progress")
        found = defaultdict(list)
        with self._database.session() as session:
            for store_id, file_id in session.execute(query):
                found[store_id].append(file_id)
        return dict(found)

    def change(self, store_id: str, file_ids: Sequence[str], **columns: Any) -> int:
        """Set columns of members; returns how many of the files are members still."""
        row, changed = VectorStoreFileRow, 0
        with self._database.session() as session:
            for file_id in file_ids:
                found = session.get(row, (store_id, file_id))
                changed += found is not None
                for column, value in columns.items() if found else ():
                    setattr(found, column, value)
        return changed

    def detach(self, store_id: str, file_id: str) -> None:
        row = VectorStoreFileRow
        with self._database.session() as session:
            session.execute(delete(row).where(row.store_id == store_id, row.file_id == file_id))

    def stores_of(self, file_id: str) -> Sequence[str]:
        """The stores that the file is a member of."""
        row = VectorStoreFileRow
        with self._database.session() as session:
            return list(session.scalars(select(row.store_id).where(row.file_id == file_id)))


def _store(session: Session, store_id: str) -> VectorStoreRow:
    row = session.get(VectorStoreRow, store_id)
    if row is None:
        raise NotFound(
            f"No vector store '{store_id}'.", param="vector_store_id", code="vector_store_not_found"
        )
    return row
