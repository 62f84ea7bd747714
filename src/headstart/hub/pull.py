"""One pull: fetch from the first source that delivers, verify, convert, and hand to the store.

Each step leaves its result in the work folder's state file, so a pull that was killed goes on
with the step it was in. Nothing in the work folder counts as a model; `Store.install` makes it one.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from pathlib import Path

import structlog
from pydantic import BaseModel

from headstart.errors import Unavailable
from headstart.hub.cards import Card, Variant
from headstart.hub.gguf_header import read_header
from headstart.hub.local import folder_context
from headstart.hub.requantize import needs_requantizing, requantize
from headstart.hub.sources.base import PullProgress, Report, SourceFailed, source_type, stop_if
from headstart.hub.store import Manifest
from headstart.settings import Settings

WEIGHT_SUFFIXES = frozenset({".gguf", ".onnx", ".onnx_data", ".safetensors"})
_BLOCK = 1 << 22
_STATE = "state.json"
_CONVERTING = ".converting"

log = structlog.get_logger(__name__)


class _State(BaseModel):
    """How far the pull in this work folder has come."""

    fetched: int | None = None  # all files are here, from the source of that index
    source: str | None = None
    stated: dict[str, str] = {}  # file → SHA-256 that the source states
    digest: str | None = None  # verified
    converted: str | None = None  # converted; may not have replaced the original yet


class Pull:
    """The work of bringing one variant of a model here."""

    def __init__(
        self,
        card: Card,
        variant: Variant,
        work: Path,
        settings: Settings,
        report: Report,
        cancelled: threading.Event,
    ) -> None:
        self.card = card
        self.variant = variant
        self.work = work
        self.settings = settings
        self.report = report
        self.cancelled = cancelled
        self.state = _State()
        self._go_on()

    def run(self, *, keep_card: bool) -> tuple[Path, Manifest]:
        """Carry the pull through. Returns the folder that holds the model's files alone."""
        if self.state.digest is None:
            self._fetch()
        self._convert()
        return self.folder, self._manifest(keep_card)

    def _go_on(self) -> None:
        """Take up the state of an earlier pull, as far as the files still bear it out."""
        path = self.work / _STATE
        if not path.exists():
            return
        self.state = _State.model_validate_json(path.read_bytes())
        if not weight_files(self.folder):
            self.state = _State()
        elif self.state.converted is None:  # a power cut may have cost bytes since: verify again
            self.state = self.state.model_copy(update={"digest": None})

    @property
    def folder(self) -> Path:
        """Where the source that delivered put its files; each source has its own."""
        return self._folder_of(self.state.fetched or 0)

    def _folder_of(self, index: int) -> Path:
        folder = self.work / f"source-{index}"
        folder.mkdir(exist_ok=True)
        return folder

    def _fetch(self) -> None:
        """Fetch and verify, from the first source whose files are right."""
        failures: list[SourceFailed] = []
        for index, spec in enumerate(self.variant.sources):
            kind = source_type(spec.kind)
            try:
                if kind is None:
                    raise SourceFailed(f"nothing is installed for sources of kind {spec.kind!r}")
                source = kind(spec, self.settings)
                if self.state.fetched != index:
                    folder = self._folder_of(index)
                    stated = source.fetch(folder, self.report, self.cancelled)
                    self._note(fetched=index, source=source.label, stated=stated)
                return self._verify()
            except SourceFailed as error:
                log.warning("source_failed", model=self.card.name, reason=error.message)
                failures.append(error)
        codes = {error.code for error in failures}
        raise Unavailable(
            f"Cannot get {self.card.name}: {'; '.join(error.message for error in failures)}. "
            "Models that are already here go on working.",
            code="digest_mismatch" if "digest_mismatch" in codes else "hub_unreachable",
        )

    def _verify(self) -> None:
        digests = self._digests()
        stated = dict(self.state.stated)
        if self.variant.sha256 is not None:  # of one file, so any other is wrong
            stated |= dict.fromkeys(digests, self.variant.sha256)
        for name, found in digests.items():
            if found != stated.get(name, found):
                self._throw_away()
                raise SourceFailed(
                    f"{name} from {self.state.source} has SHA-256 {found}, expected "
                    f"{stated[name]}, and was deleted",
                    code="digest_mismatch",
                )
        self._note(digest=digest_of(digests))

    def _digests(self) -> dict[str, str]:
        """The SHA-256 of every weight file, by name."""
        paths = weight_files(self.folder)
        if not paths:
            self._throw_away()
            raise SourceFailed(f"no weights came from {self.state.source}")
        total, done = sum(path.stat().st_size for path in paths), 0
        digests = {}
        for path in paths:
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    stop_if(self.cancelled)
                    digest.update(block)
                    done += len(block)
                    self.report(PullProgress("verify", done, total))
            digests[path.relative_to(self.folder).as_posix()] = digest.hexdigest()
        return digests

    def _convert(self) -> None:
        weights = weight_files(self.folder)
        if self.variant.format != "gguf" or len(weights) != 1:
            return
        converting = self.folder / _CONVERTING
        if self.state.converted is None:
            if not needs_requantizing(read_header(weights[0])):
                return
            changed = requantize(weights[0], converting, self.report, self.cancelled)
            self._note(converted=changed)
        if converting.exists():
            converting.replace(weights[0])

    def _manifest(self, keep_card: bool) -> Manifest:
        card, variant = self.card, self.variant
        files = {
            file.relative_to(self.folder).as_posix(): file.stat().st_size
            for file in sorted(self.folder.rglob("*"))
            if file.is_file()
        }
        header = read_header(weight_files(self.folder)[0]) if variant.format == "gguf" else None
        context = header.context_length if header else folder_context(self.folder)
        if keep_card and context:
            card = card.model_copy(
                update={
                    "context_length": context,
                    "architecture": header.architecture if header else card.architecture,
                }
            )
        return Manifest(
            name=card.name,
            variant=variant.name,
            task=card.task,
            format=variant.format,
            path=header.path.relative_to(self.folder).as_posix() if header else ".",
            bytes=sum(files.values()),
            digest=self.state.digest or "",
            converted=self.state.converted,
            context_length=min(context or card.context_length, card.context_length),
            architecture=header.architecture if header else None,
            source=self.state.source or "",
            pulled_at=int(time.time()),
            files=files,
            card=card if keep_card else None,
        )

    def _note(self, **changes: object) -> None:
        self.state = self.state.model_copy(update=changes)
        fresh = self.work / f"{_STATE}.new"
        fresh.write_text(self.state.model_dump_json())
        fresh.replace(self.work / _STATE)

    def _throw_away(self) -> None:
        shutil.rmtree(self.folder)
        self._note(fetched=None)


def weight_files(folder: Path) -> list[Path]:
    """The files that hold weights, in order."""
    return sorted(file for file in folder.rglob("*") if file.suffix in WEIGHT_SUFFIXES)


def digest_of(digests: dict[str, str]) -> str:
    """A model's digest: its weight file's SHA-256; of several, that of their `sha256sum` list."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(listing.encode()).hexdigest()
