"""Makes a declaration so: endpoints deployed, apps defined, knowledge in step with its paths.

Doing it twice changes nothing. What fails is reported and does not hold up what does not depend
on it. Nothing is removed because a declaration does not mention it (any more).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from headstart.apps.apps import Apps
from headstart.apps.declaration import Declaration, EndpointSpec, KnowledgeSpec
from headstart.apps.spec import AppSpec
from headstart.errors import Conflict, HeadstartError, Unavailable
from headstart.knowledge.knowledge import EMBEDDINGS, Knowledge
from headstart.knowledge.sync import SyncReport
from headstart.serving.endpoints import Endpoints
from headstart.serving.status import EndpointStatus, State

Kind = Literal["endpoint", "knowledge", "app"]
_POLL = 0.2  # seconds between looks at work in progress
_PATIENCE = 8.0  # seconds from an endpoint's first failure until it counts as failed


@dataclass(frozen=True, slots=True)
class Step:
    """News of one declared thing. The last of each thing is "done", "unchanged" or "failed"."""

    kind: Kind
    name: str
    state: Literal["working", "done", "unchanged", "failed"]
    text: str = ""  # what is being done, what was done, or why it failed
    done: int = 0
    total: int | None = None  # of `done`: bytes of a download, files of a sync

    @property
    def is_last(self) -> bool:
        return self.state != "working"


Report = Callable[[Step], None]


async def reconcile(
    declaration: Declaration,
    endpoints: Endpoints,
    knowledge: Knowledge,
    apps: Apps,
    report: Report,
) -> list[Step]:
    """Make it so; returns the last step of every declared thing, in the order of the file.

    Apps answer as soon as they are defined; their endpoint and knowledge may still be on the way.
    """
    return await _Reconciliation(declaration, endpoints, knowledge, apps, report).run()


@dataclass
class _Reconciliation:
    declaration: Declaration
    endpoints: Endpoints
    knowledge: Knowledge
    apps: Apps
    report: Report

    async def run(self) -> list[Step]:
        declared = self.declaration
        deployed = {
            name: asyncio.create_task(self._guarded("endpoint", name, self._deploy, name, spec))
            for name, spec in declared.endpoints.items()
        }
        filled = [
            self._guarded("knowledge", name, self._fill, name, spec, deployed[EMBEDDINGS])
            for name, spec in declared.knowledge.items()
        ]
        defined = [
            self._guarded("app", name, self._define, name, spec)
            for name, spec in declared.apps.items()
        ]
        return await asyncio.gather(*deployed.values(), *filled, *defined)

    async def _guarded(
        self, kind: Kind, name: str, work: Callable[..., Awaitable[Step]], *args: Any
    ) -> Step:
        """The outcome of the work, a failure included, once it has been reported."""
        try:
            last = await work(*args)
        except HeadstartError as error:
            last = Step(kind, name, "failed", error.message)
        self.report(last)
        return last

    # --- endpoints ------------------------------------------------------------------------

    async def _deploy(self, name: str, spec: EndpointSpec) -> Step:
        known = {status.name for status in self.endpoints.statuses()}
        changed = name not in known
        try:
            await self._deployed(name, spec)
        except Conflict as conflict:
            if conflict.code != "endpoint_exists":
                raise
            if self.declaration.is_from_file:  # without a file, what someone deployed is kept
                await self.endpoints.delete(name)
                await self._deployed(name, spec)
                changed = True
        status = await self._ready(name)
        text = f"{status.model} on {status.engine}"
        return Step("endpoint", name, "done" if changed else "unchanged", text)

    async def _deployed(self, name: str, spec: EndpointSpec) -> EndpointStatus:
        return await self.endpoints.deploy(
            spec.model,
            name=name,
            engine=spec.engine,
            idle_timeout=spec.idle_timeout,
            options=spec.options,
        )

    async def _ready(self, name: str) -> EndpointStatus:
        """Wait until it can answer, however long its model takes, and report the way there.

        An endpoint that failed is tried again by itself; it gets a few seconds for that.
        """
        reported: Step | None = None
        failed_at: float | None = None
        while (status := self.endpoints.status(name)).status not in (State.READY, State.IDLE):
            if status.status is State.FAILED:
                failed_at = failed_at or time.monotonic()
                if time.monotonic() - failed_at >= _PATIENCE:
                    raise Unavailable(status.error or "it failed; its log says why")
            elif (step := _on_the_way(status)) != reported:
                self.report(step)
                reported = step
            await asyncio.sleep(_POLL)
        return status

    # --- knowledge ------------------------------------------------------------------------

    async def _fill(self, name: str, spec: KnowledgeSpec, embeddings: asyncio.Task[Step]) -> Step:
        store, created = await self.knowledge.ensure(name)
        if not spec.paths:
            return Step("knowledge", name, "done" if created else "unchanged", "fed by upload")
        self.report(Step("knowledge", name, "working", f"waiting for '{EMBEDDINGS}'"))
        if (await embeddings).state == "failed":
            raise Unavailable(f"its files need the endpoint '{EMBEDDINGS}', which failed")
        job_id = await self.knowledge.start_sync(store.id, spec.paths)
        reported: tuple[int, int | None] | None = None
        while not (job := await self.knowledge.job(job_id)).is_over:
            progress = (job.done or 0, job.total)
            if progress != reported:
                self.report(Step("knowledge", name, "working", "reading files", *progress))
                reported = progress
            await asyncio.sleep(_POLL)
        if job.state != "completed":
            raise Unavailable(f"reading its files {job.state}: {job.error or 'it was stopped'}")
        return _synced(name, SyncReport.of(job.result))

    # --- apps -----------------------------------------------------------------------------

    async def _define(self, name: str, spec: AppSpec) -> Step:
        version, changed = await asyncio.to_thread(self.apps.define, name, spec)
        return Step("app", name, "done" if changed else "unchanged", f"version {version.number}")


def _on_the_way(status: EndpointStatus) -> Step:
    progress = status.progress
    if progress is None:
        return Step("endpoint", status.name, "working", f"{status.status.value} {status.model}")
    text = f"{progress.stage} {status.model}"
    return Step("endpoint", status.name, "working", text, progress.done, progress.total)


def _synced(name: str, report: SyncReport) -> Step:
    changes = {
        "added": report.added,
        "updated": report.updated,
        "removed": report.removed,
        "failed": len(report.failed),
    }
    said = ", ".join(f"{count} {what}" for what, count in changes.items() if count)
    files = f"{report.added + report.updated + report.unchanged} files"
    lines = [f"{files} ({said})" if said else files]
    lines += [f"{problem.path}: {problem.reason}" for problem in report.failed]
    changed = report.added or report.updated or report.removed
    return Step("knowledge", name, "done" if changed else "unchanged", "\n".join(lines))
