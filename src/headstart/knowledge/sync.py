"""Sync: a vector store follows folders and files on the server's disk; what changed is touched.

A file counts as unchanged when its size and time are, or else its SHA-256. A changed file is
ingested anew and its old version leaves when the new one is in, so a search always finds one of
them.

The sync is a durable job: killed anywhere, it runs again and finds what it did already.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from typing import Any

from headstart.errors import BadRequest
from headstart.knowledge.files import Files
from headstart.knowledge.ingestion import Ingestion
from headstart.knowledge.scan import Problem, Scan, check_paths, scan
from headstart.knowledge.staging import RETRIED, Staging, by_path
from headstart.knowledge.stores import Member, VectorStores
from headstart.storage.jobs import Job, Jobs

KIND = "sync"


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
        self._ingestion = ingestion
        self._staging = Staging(stores, files)
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
        new: set[str] = set()
        job.report(0, len(found.files))

        def finished() -> None:
            job.report(job.done + 1, job.total)

        async def waiting() -> AsyncIterator[str]:
            async for outcomes in self._staging.stage(store_id, found):
                for outcome in outcomes:
                    if outcome.file_id is not None:
                        new.add(outcome.file_id)
                        yield outcome.file_id
                        continue
                    finished()
                    if outcome.problem is not None:
                        told = report.skipped if outcome.is_skipped else report.failed
                        told.append(outcome.problem)

        await self._ingestion.ingest(store_id, waiting(), finished)
        await self._clean(store_id, found, new, report)
        return report

    async def _clean(self, store_id: str, found: Scan, new: set[str], report: SyncReport) -> None:
        """Remove what is gone from the disk or was replaced, and tell what became of the rest."""
        members = await asyncio.to_thread(self._stores.synced, store_id)
        newest = by_path(members)
        versions = Counter(member.row.path for member in members)
        told = {each.path for each in (*report.failed, *report.skipped)}
        refused = {each.path for each in report.skipped}
        refused |= {each.path for each in report.failed if each.code == "too_large"}
        for path, member in newest.items():
            if path in found.files and path not in told:
                _tell(report, member, new=member.file.id in new, replaced=versions[path] > 1)
        gone = {path for path in newest if path not in found.files and not found.hides(path)}
        report.removed = len(gone)
        for member in members:
            last = newest[str(member.row.path)]
            replaced = member is not last and _is_settled(last)
            if replaced or last.row.path in gone | refused:
                await self._ingestion.remove(store_id, member.file.id)


def _is_settled(member: Member) -> bool:
    """Whether trying again would change nothing."""
    failed = member.row.status == "failed" and member.row.error_code not in RETRIED
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
