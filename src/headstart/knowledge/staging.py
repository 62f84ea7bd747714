"""Staging: the files of a scan that are new or changed are taken in, to await their ingestion.

Their bytes are copied first and their rows are written together, some files at a time, while
those before them are being ingested. A server that is killed in between leaves bytes without a
row, which nothing refers to.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from headstart.errors import BadRequest, HeadstartError
from headstart.knowledge.files import Files
from headstart.knowledge.loaders.base import Limits, LoadError
from headstart.knowledge.loaders.sniff import sniff
from headstart.knowledge.scan import Found, Problem, Scan
from headstart.knowledge.stores import Member, Membership, VectorStores
from headstart.storage.tables import FileRow

RETRIED = frozenset({"server_error", "service_unavailable_error", "storage_full"})
_SLICE = 32


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: it awaits its ingestion under `file_id`, or not, perhaps for a
    problem. `is_skipped`: it is of a kind that no loader reads."""

    file_id: str | None = None
    row: FileRow | None = None  # of a file that is new here
    membership: Membership | None = None
    problem: Problem | None = None
    is_skipped: bool = False


class Staging:
    """Takes files in from the disk."""

    def __init__(self, stores: VectorStores, files: Files) -> None:
        self._stores = stores
        self._files = files

    async def stage(self, store_id: str, found: Scan) -> AsyncIterator[list[Outcome]]:
        """Take in what is new, a slice of the files at a time."""
        known = by_path(await asyncio.to_thread(self._stores.synced, store_id))
        files = list(found.files.items())
        for start in range(0, len(files), _SLICE):
            part = files[start : start + _SLICE]
            staging = (
                asyncio.to_thread(self._outcome, store_id, file, known.get(path))
                for path, file in part
            )
            outcomes = await asyncio.gather(*staging)
            rows = [each.row for each in outcomes if each.row is not None]
            joining = [each.membership for each in outcomes if each.membership is not None]
            if rows:
                await asyncio.to_thread(self._files.add, rows)
                await asyncio.to_thread(self._stores.attach, store_id, joining)
            yield outcomes

    def _outcome(self, store_id: str, file: Found, member: Member | None) -> Outcome:
        path = str(file.path)
        try:
            return self._stage(store_id, file, member)
        except OSError as error:
            return Outcome(problem=Problem(path, "unreadable", error.strerror or str(error)))
        except HeadstartError as error:
            problem = Problem(path, error.code or error.type, error.message)
            return Outcome(problem=problem, is_skipped=isinstance(error, LoadError))

    def _stage(self, store_id: str, file: Found, member: Member | None) -> Outcome:
        if member is not None and _same(file, member):
            return self._known(store_id, file, member)
        _refuse_at_sight(file)
        with file.path.open("rb") as stream:
            row = self._files.keep(file.name, stream)
        membership = Membership(row.id, {}, {}, str(file.path), file.modified_ns)
        return Outcome(row.id, row, membership)

    def _known(self, store_id: str, file: Found, member: Member) -> Outcome:
        """A file that is here already, and may not have been finished."""
        row, ids = member.row, [member.file.id]
        if row.modified_ns != file.modified_ns:
            self._stores.change(store_id, ids, modified_ns=file.modified_ns)
        if row.status == "cancelled" or (row.status == "failed" and row.error_code in RETRIED):
            self._stores.change(store_id, ids, status="in_progress", error_code=None, error=None)
        elif row.status != "in_progress":
            return Outcome()
        return Outcome(member.file.id)


def by_path(members: Iterable[Member]) -> dict[str, Member]:
    """The newest member of each path; `members` come oldest first."""
    return {str(member.row.path): member for member in members}


def _same(file: Found, member: Member) -> bool:
    if file.size != member.file.bytes:
        return False
    if file.modified_ns == member.row.modified_ns:
        return True
    with file.path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == member.file.sha256


def _refuse_at_sight(file: Found) -> None:
    """Keep out what no loader will read, before its bytes are copied."""
    limit = Limits().file_bytes
    if file.size > limit:
        raise BadRequest(
            f"'{file.name}' has {file.size / 2**20:,.1f} MiB; the limit is "
            f"{limit / 2**20:,.0f} MiB. Split it.",
            code="too_large",
        )
    try:
        sniff(file.path, file.name)
    except LoadError as error:
        if error.code == "unsupported":
            raise
