"""The hub's store: a folder per model and variant, each whole or absent.

A pull works in `.partial/` and moves the finished folder into place in one rename, manifest
included; so a folder with a manifest is a whole model. One process at a time works on a model:
the others wait on its lock file. A model registered by reference has a manifest and no weights.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import structlog
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from headstart.errors import Conflict
from headstart.hub.cards import Card, Task
from headstart.hub.sources.base import stop_if
from headstart.hub.stored import StoredModel

MANIFEST = "manifest.json"
_LOCK_POLL_SECONDS = 0.2

log = structlog.get_logger(__name__)


class Manifest(BaseModel):
    """What the store knows of a model that is here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    variant: str
    task: Task
    format: Literal["gguf", "onnx", "safetensors", "ctranslate2"]
    path: str  # relative to the manifest's folder ("." is the folder itself), or absolute
    bytes: int
    digest: str  # SHA-256 of the weights as they came from the source
    converted: str | None = None  # what was done to them since: "Q5_0 → Q8_0"
    context_length: int
    architecture: str | None = None
    source: str
    pulled_at: int
    files: dict[str, int]  # file → bytes, relative to the folder that `path` is or lies in
    card: Card | None = None  # of a model that is not in the catalogue


class Store:
    """The models under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def models(self) -> list[StoredModel]:
        """Every whole model, by name. What cannot be used is logged and left out."""
        found = []
        for path in sorted(self.folder.glob(f"*/*/{MANIFEST}")):
            try:
                found.append(self._stored(path))
            except (OSError, ValidationError, _Damaged) as error:
                log.warning("model_left_out", manifest=str(path), reason=str(error))
        return found

    def find(self, name: str, variant: str | None = None) -> StoredModel | None:
        """The stored model of that name; of several variants, the one last pulled."""
        found = [model for model in self._named(name) if variant in (None, model.variant)]
        return found[-1] if found else None

    def at(self, path: Path) -> StoredModel | None:
        """The model that is registered from that path."""
        wanted = path.expanduser().resolve()
        return next((model for model in self.models() if model.path == wanted), None)

    def cards(self) -> list[Card]:
        """The cards of models that the catalogue does not have."""
        cards = {}
        for model in self.models():
            card = self.manifest(model).card
            if card is not None:
                cards[card.name] = card
        return list(cards.values())

    def manifest(self, model: StoredModel) -> Manifest:
        return _read(self.place(model.name, model.variant) / MANIFEST)

    def place(self, name: str, variant: str) -> Path:
        return self.folder / folder_name(name) / folder_name(variant)

    def work_folder(self, name: str, variant: str) -> Path:
        """Where a pull works, kept over interruptions. On the same file system as the store."""
        folder = self.folder / ".partial" / folder_name(name) / folder_name(variant)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def install(self, work: Path, manifest: Manifest) -> StoredModel:
        """Move a finished work folder into the store."""
        for file in work.rglob("*"):
            if file.is_file():
                _sync(file)
        (work / MANIFEST).write_text(manifest.model_dump_json(indent=2))
        _sync(work / MANIFEST)
        place = self.place(manifest.name, manifest.variant)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():  # damaged, or it would have been found before the pull
            shutil.rmtree(place)
        work.rename(place)
        return self._stored(place / MANIFEST)

    def remove(self, name: str, variant: str | None = None) -> list[StoredModel]:
        """Delete what is stored under that name; files registered by reference stay."""
        gone = [model for model in self._named(name) if variant in (None, model.variant)]
        for model in gone:
            with self.lock(model.name, model.variant, wait=False):
                place = self.place(model.name, model.variant)
                (place / MANIFEST).unlink()  # first: half a deletion must not look whole
                shutil.rmtree(place)
        return gone

    def discard_unfinished(self, name: str) -> bool:
        """Delete what interrupted pulls of that model have left; says whether there was any."""
        folder = self.folder / ".partial" / folder_name(name)
        unfinished = list(folder.glob("*"))
        for variant in unfinished:
            with self.lock(name, unquote(variant.name), wait=False):
                shutil.rmtree(variant)
        return bool(unfinished)

    @contextmanager
    def lock(
        self,
        name: str,
        variant: str,
        cancelled: threading.Event | None = None,
        *,
        wait: bool = True,
    ) -> Iterator[None]:
        """Hold a model against all other processes and threads."""
        folder = self.folder / ".locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{folder_name(name)}--{folder_name(variant)}", is_singleton=False)
        while True:
            try:
                lock.acquire(timeout=_LOCK_POLL_SECONDS)
                break
            except Timeout:
                if not wait:
                    raise Conflict(f"{name} is being pulled; try again when it is done.") from None
                stop_if(cancelled or threading.Event())
        try:
            yield
        finally:
            lock.release()

    def _named(self, name: str) -> list[StoredModel]:
        found = []
        for path in (self.folder / folder_name(name)).glob(f"*/{MANIFEST}"):
            try:
                found.append((_read(path).pulled_at, self._stored(path)))
            except (OSError, ValidationError, _Damaged) as error:
                log.warning("model_left_out", manifest=str(path), reason=str(error))
        return [model for _, model in sorted(found, key=lambda pair: pair[0])]

    def _stored(self, path: Path) -> StoredModel:
        manifest = _read(path)
        weights = path.parent / manifest.path
        root = weights if weights.is_dir() else weights.parent
        for name, size in manifest.files.items():
            if not (root / name).is_file() or (root / name).stat().st_size != size:
                raise _Damaged(f"{root / name} is missing or not {size:,} bytes long")
        return StoredModel(
            name=manifest.name,
            variant=manifest.variant,
            task=manifest.task,
            path=weights,
            bytes=manifest.bytes,
            digest=manifest.digest,
            context_length=manifest.context_length,
            architecture=manifest.architecture,
        )


class _Damaged(Exception):
    """A stored model whose files are not what its manifest says."""


def folder_name(name: str) -> str:
    """A name as one path component: "hf:org/repo" → "hf%3Aorg%2Frepo"."""
    kept = "".join(c if c.isalnum() or c in "-_.@+" else f"%{ord(c):02X}" for c in name)
    return f"%2E{kept[1:]}" if kept.startswith(".") else kept


def _read(path: Path) -> Manifest:
    return Manifest.model_validate_json(path.read_bytes())


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
