from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest

from headstart.apps.apps import Apps
from headstart.apps.declaration import Declaration, default, load
from headstart.apps.reconcile import Step, reconcile
from headstart.errors import Conflict, NotFound
from headstart.knowledge.scan import Problem
from headstart.knowledge.sync import SyncReport
from headstart.serving.status import EndpointStatus, Progress, State
from headstart.storage.database import Database
from headstart.storage.jobs import JobStatus
from headstart.storage.tables import VectorStoreRow
from tests.apps.fakes import FakeKnowledge


class Deployments:
    """Endpoints whose models need two looks to come up; those called "bad…" never do."""

    def __init__(self) -> None:
        self.deployed: dict[str, tuple[Any, ...]] = {}
        self.deleted: list[str] = []
        self.looks: dict[str, int] = {}

    def statuses(self) -> list[EndpointStatus]:
        return [self.status(name) for name in self.deployed]

    def status(self, name: str) -> EndpointStatus:
        self.looks[name] = self.looks.get(name, 0) + 1
        model = self.deployed[name][0]
        state = State.READY if self.looks[name] > 3 else State.PULLING
        if model.startswith("bad") or (model == "flaky" and self.looks[name] < 4):
            state = State.FAILED
        return EndpointStatus(
            id=f"ep_{name}",
            name=name,
            model=model,
            variant=None,
            task="chat",
            engine="echo",
            requested_engine="auto",
            engine_reason=None,
            status=state,
            progress=Progress(stage="download", done=self.looks[name], total=3),
            error="no disk" if state is State.FAILED else None,
            pid=None,
            memory_bytes=None,
            context_length=4096,
            idle_timeout=None,
            restarts=0,
            created_at=1,
        )

    async def deploy(self, model: str, *, name: str, **options: Any) -> EndpointStatus:
        if model == "unknown":
            raise NotFound("no model 'unknown' in the hub")
        wanted = (model, *options.values())
        if self.deployed.get(name, wanted) != wanted:
            raise Conflict(f"The endpoint '{name}' exists", code="endpoint_exists")
        self.deployed[name] = wanted
        return self.status(name)

    async def delete(self, name: str) -> None:
        del self.deployed[name]
        self.deleted.append(name)


class Folders(FakeKnowledge):
    """Knowledge that takes in whatever paths it is given, once."""

    def __init__(self, outcome: SyncReport | None = None, state: Any = "completed") -> None:
        super().__init__()
        self.stores: list[str] = []
        self.synced: list[tuple[str, list[str]]] = []
        self.outcome = outcome or SyncReport(added=2)
        self.state = state
        self._looks = 0

    async def ensure(self, name: str) -> tuple[VectorStoreRow, bool]:
        created = name not in self.stores
        self.stores += [name] if created else []
        return VectorStoreRow(id=f"vs_{name}", name=name), created

    async def start_sync(self, store_id: str, paths: list[str]) -> str:
        self._looks = 0
        self.synced.append((store_id, paths))
        return "job_1"

    async def job(self, job_id: str) -> JobStatus:
        self._looks += 1
        if self._looks < 3:
            return JobStatus(job_id, "sync", "in_progress", {}, 1, done=self._looks, total=2)
        outcome = self.outcome
        if len(self.synced) > 1:
            outcome = SyncReport(unchanged=outcome.added, failed=outcome.failed)
        return JobStatus(
            job_id, "sync", self.state, {}, 1, result=asdict(outcome), error="disk full"
        )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'db'}")
    database.migrate()
    yield database
    database.close()


class House:
    """What a declaration is made so in."""

    def __init__(self, database: Database, knowledge: Folders | None = None) -> None:
        self.endpoints = Deployments()
        self.knowledge = knowledge or Folders()
        self.apps = Apps(database, cast(Any, self.endpoints), cast(Any, self.knowledge))
        self.news: list[Step] = []

    async def make(self, declaration: Declaration) -> dict[str, tuple[str, str]]:
        """(state, text) of every last step."""
        self.news.clear()
        self.endpoints.looks.clear()
        steps = await reconcile(
            declaration,
            cast(Any, self.endpoints),
            cast(Any, self.knowledge),
            self.apps,
            self.news.append,
        )
        return {f"{step.kind} {step.name}": (step.state, step.text) for step in steps}


@pytest.fixture
def house(database: Database, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr("headstart.apps.reconcile._POLL", 0)
    monkeypatch.setattr("headstart.apps.reconcile._PATIENCE", 0)
    return House(database)


def declared(folder: Path, text: str) -> Declaration:
    (folder / "docs").mkdir(exist_ok=True)
    file = folder / "headstart.toml"
    file.write_text(text)
    return load(file)


async def test_everything_comes_up_and_the_second_time_nothing_changes(
    house: House, tmp_path: Path
) -> None:
    first = await house.make(default([tmp_path]))
    assert {what: state for what, (state, _) in first.items()} == {
        "endpoint chat": "done",
        "endpoint embeddings": "done",
        "knowledge docs": "done",
        "app docs": "done",
    }
    deployed = dict(house.endpoints.deployed)

    second = await house.make(default([tmp_path]))

    assert {state for state, _ in second.values()} == {"unchanged"}
    assert house.endpoints.deployed == deployed
    assert house.endpoints.deleted == []
    assert house.apps.get("docs").number == 1


async def test_progress_is_reported_on_the_way(house: House, tmp_path: Path) -> None:
    await house.make(default([tmp_path]))
    working = [step for step in house.news if not step.is_last]
    assert Step("endpoint", "chat", "working", "download qwen2.5-coder-0.5b-instruct", 2, 3) in (
        working
    )
    assert Step("knowledge", "docs", "working", "reading files", 1, 2) in working
    last = [(step.kind, step.name) for step in house.news if step.is_last]
    assert len(last) == len(set(last)) == 4


async def test_files_wait_for_the_embeddings(house: House, tmp_path: Path) -> None:
    await house.make(default([tmp_path]))
    order = [(step.kind, step.name, step.text) for step in house.news]
    ready = next(
        i
        for i, each in enumerate(order)
        if each[:2] == ("endpoint", "embeddings") and "on echo" in each[2]
    )
    assert ready < order.index(("knowledge", "docs", "reading files"))


async def test_what_fails_holds_up_only_what_needs_it(house: House, tmp_path: Path) -> None:
    text = """
    [endpoints.chat]
    model = "unknown"
    [endpoints.other]
    model = "good"
    [endpoints.embeddings]
    model = "bad-embedder"
    [knowledge.docs]
    paths = ["docs"]
    [apps.a]
    endpoint = "other"
    """
    outcome = await house.make(declared(tmp_path, text))
    assert outcome["endpoint chat"] == ("failed", "no model 'unknown' in the hub")
    assert outcome["endpoint embeddings"] == ("failed", "no disk")
    assert outcome["knowledge docs"][0] == "failed"
    assert "'embeddings', which failed" in outcome["knowledge docs"][1]
    assert outcome["endpoint other"][0] == "done"
    assert outcome["app a"] == ("done", "version 1")
    assert house.knowledge.synced == []


async def test_an_endpoint_that_recovers_by_itself_has_not_failed(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.apps.reconcile._PATIENCE", 60)
    outcome = await house.make(declared(tmp_path, '[endpoints.chat]\nmodel = "flaky"'))
    assert outcome["endpoint chat"] == ("done", "flaky on echo")


async def test_a_file_changes_an_endpoint_and_makes_a_version(house: House, tmp_path: Path) -> None:
    text = '[endpoints.chat]\nmodel = "{}"\n[apps.a]\nendpoint = "chat"\ninstructions = "{}"'
    await house.make(declared(tmp_path, text.format("one", "Be kind.")))

    outcome = await house.make(declared(tmp_path, text.format("two", "Be brief.")))

    assert house.endpoints.deleted == ["chat"]
    assert outcome["endpoint chat"] == ("done", "two on echo")
    assert outcome["app a"] == ("done", "version 2")


async def test_a_default_keeps_what_someone_deployed(house: House, tmp_path: Path) -> None:
    await house.endpoints.deploy(
        "bigger", name="chat", engine="auto", idle_timeout=None, options={}
    )
    outcome = await house.make(default([tmp_path]))
    assert outcome["endpoint chat"] == ("unchanged", "bigger on echo")
    assert house.endpoints.deleted == []


async def test_what_is_no_longer_declared_stays(house: House, tmp_path: Path) -> None:
    await house.make(default([tmp_path]))
    assert await house.make(declared(tmp_path, "")) == {}
    assert house.endpoints.deployed.keys() == {"chat", "embeddings"}
    assert house.apps.get("docs").number == 1
    assert house.knowledge.stores == ["docs"]


async def test_bad_files_are_told_by_name_and_reason(database: Database, tmp_path: Path) -> None:
    report = SyncReport(added=1, failed=[Problem("a.pdf", "encrypted", "it needs a password")])
    outcome = await House(database, Folders(report)).make(default([tmp_path]))
    assert outcome["knowledge docs"] == (
        "done",
        "1 files (1 added, 1 failed)\na.pdf: it needs a password",
    )


async def test_a_sync_that_fails_is_told(database: Database, tmp_path: Path) -> None:
    outcome = await House(database, Folders(state="failed")).make(default([tmp_path]))
    assert outcome["knowledge docs"] == ("failed", "reading its files failed: disk full")


async def test_knowledge_without_paths_is_only_there(house: House) -> None:
    outcome = await house.make(default())
    assert outcome["knowledge docs"] == ("done", "fed by upload")
    assert house.knowledge.stores == ["docs"]
    assert house.knowledge.synced == []


async def test_cancelling_leaves_no_task_behind(house: House, tmp_path: Path) -> None:
    async def forever(name: str) -> None:
        await asyncio.Event().wait()

    house.endpoints.deploy = lambda *args, **kwargs: forever("x")  # type: ignore[assignment]
    before = asyncio.all_tasks()
    making = asyncio.create_task(house.make(default([tmp_path])))
    while not house.news and len(asyncio.all_tasks()) < len(before) + 3:
        await asyncio.sleep(0)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert asyncio.all_tasks() == before
