"""Sync: a vector store follows folders and files on the server's disk; what changed is touched.

A file counts as unchanged when its size and time are, or else its SHA-256. A changed file is
ingested anew and its old version leaves when the new one is in, so a search always finds one of
them.

The sync is a durable job: killed anywhere, it runs again and finds what it did already.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from headstart.errors import BadRequest, HeadstartError
from headstart.knowledge.files import Files
from headstart.knowledge.ingestion import Ingestion
from headstart.knowledge.loaders.base import Limits, LoadError
from headstart.knowledge.loaders.sniff import sniff
from headstart.knowledge.scan import Found, Problem, Scan, check_paths, scan
from headstart.knowledge.stores import Member, Membership, VectorStores
from headstart.storage.jobs import Job, Jobs

KIND = "sync"
_RETRIED = {"server_error", "service_unavailable_error", "storage_full"}


@dataclass(slots=True)
class SyncReport:
    """What a sync did, in numbers of files. `skipped` are of kinds that no loader reads."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: list[Problem] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> SyncReport:
        report = cls(**{**stored, "failed": [], "skipped": []})
        report.failed = [Problem(**each) for each in stored["failed"]]
        report.skipped = [Problem(**each) for each in stored["skipped"]]
        return report


class Sync:
    """Makes vector stores follow the disk."""

    def __init__(
        self,
        stores: VectorStores,
        files: Files,
        ingestion: Ingestion,
        jobs: Jobs,
    ) -> None:
        self._stores = stores
        self._files = files
        self._ingestion = ingestion
        self._jobs = jobs
        self._locks: dict[str, asyncio.Lock] = {}
        jobs.register(KIND, self._job)

    async def submit(self, store_id: str) -> str:
        """Start a sync of the store with its paths; returns the job's id.

        Paths that are not there are refused: a disk that is not mounted is no deletion.
        """
        store = await asyncio.to_thread(self._stores.get, store_id)
        if not store.paths:
            raise BadRequest(
                f"'{store.name}' follows no paths; name the folders or files to sync.",
                param="paths",
            )
        await asyncio.to_thread(check_paths, store.paths)
        return await self._jobs.submit(KIND, {"store_id": store_id})

    async def _job(self, job: Job) -> dict[str, Any]:
        store_id = job.arguments["store_id"]
        async with self._locks.setdefault(store_id, asyncio.Lock()):
            return asdict(await self._sync(store_id, job))

    async def _sync(self, store_id: str, job: Job) -> SyncReport:
        store = await asyncio.to_thread(self._stores.get, store_id)
        found = await asyncio.to_thread(scan, store.paths)
        report = SyncReport(failed=list(found.unreadable))
        wanted = await asyncio.to_thread(self._stage, store_id, found, report)
        await self._ingestion.ingest(store_id, wanted, job.report)
        await self._clean(store_id, found, set(wanted), report)
        return report

    def _stage(self, store_id: str, found: Scan, report: SyncReport) -> list[str]:
        """Take in what is new on disk; returns the files that await their ingestion."""
        known = _newest(self._stores.synced(store_id))
        waiting: list[str] = []
        for path, file in found.files.items():
            try:
                file_id = self._stage_file(store_id, file, known.get(path))
            except OSError as error:
                report.failed.append(Problem(path, "unreadable", error.strerror or str(error)))
            except LoadError as error:
                report.skipped.append(Problem(path, error.code or "unsupported", error.message))
            except HeadstartError as error:
                report.failed.append(Problem(path, error.code or error.type, error.message))
            else:
                waiting += [file_id] if file_id else []
        return waiting

    def _stage_file(self, store_id: str, file: Found, member: Member | None) -> str | None:
        """The id under which the file awaits its ingestion; None when nothing is to be done."""
        if member is not None and _same(file, member):
            if member.row.modified_ns != file.modified_ns:
                self._stores.change(store_id, [member.file.id], modified_ns=file.modified_ns)
            if member.row.error_code in _RETRIED or member.row.status == "cancelled":
                again = {"status": "in_progress", "error_code": None, "error": None}
                self._stores.change(store_id, [member.file.id], **again)
            elif member.row.status != "in_progress":
                return None
            return member.file.id
        _refuse_at_sight(file)
        with file.path.open("rb") as stream:
            row = self._files.create(file.name, stream)
        joining = Membership(row.id, {}, {}, str(file.path), file.modified_ns)
        self._stores.attach(store_id, [joining])
        return row.id

    async def _clean(self, store_id: str, found: Scan, new: set[str], report: SyncReport) -> None:
        """Remove what is gone from the disk or was replaced, and tell what became of the rest."""
        members = await asyncio.to_thread(self._stores.synced, store_id)
        newest = _newest(members)
        told = {each.path for each in (*report.failed, *report.skipped)}
        refused = {each.path for each in report.skipped}
        refused |= {each.path for each in report.failed if each.code == "too_large"}
        for path, member in newest.items():
            if path in found.files and path not in told:
                replaced = any(m.row.path == path and m is not member for m in members)
                _tell(report, member, new=member.file.id in new, replaced=replaced)
        gone = {path for path in newest if path not in found.files and not found.hides(path)}
        report.removed = len(gone)
        for member in members:
            last = newest[str(member.row.path)]
            replaced = member is not last and _is_settled(last)
            if replaced or last.row.path in gone | refused:
                await self._ingestion.remove(store_id, member.file.id)


def _is_settled(member: Member) -> bool:
    """Whether trying again would change nothing."""
    failed = member.row.status == "failed" and member.row.error_code not in _RETRIED
    return failed or member.row.status == "completed"


def _tell(report: SyncReport, member: Member, *, new: bool, replaced: bool) -> None:
    row = member.row
    if row.status == "failed":
        problem = Problem(str(row.path), row.error_code or "server_error", row.error or "")
        report.failed.append(problem)
    elif not new:
        report.unchanged += 1
    elif replaced:
        report.updated += 1
    else:
        report.added += 1


def _newest(members: Sequence[Member]) -> dict[str, Member]:
    """By path; `members` come oldest first."""
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
