"""`Hub`: find a model by name, bring it here, and say what is here.

A name is one of the catalogue ("smollm2-135m-instruct", or with a variant
"smollm2-135m-instruct:Q4_1"), a Hugging Face repository ("hf:org/repo[/file.gguf][@revision]"),
or a path on this machine. Only `pull` reaches out; everything else works without a network.
"""

from __future__ import annotations

import errno
import shutil
import threading
from pathlib import Path

from headstart.errors import NotFound, Unavailable
from headstart.hub.cards import Card, Task, Variant
from headstart.hub.catalogue import Catalogue, did_you_mean, matching
from headstart.hub.local import local_manifest
from headstart.hub.memory import with_memory
from headstart.hub.pull import Pull
from headstart.hub.sources.base import PullProgress, Report, Source, SourceFailed, source_type
from headstart.hub.store import Store
from headstart.hub.stored import StoredModel
from headstart.settings import Settings


class Hub:
    """The catalogue and the store of one Headstart home."""

    def __init__(self, settings: Settings, catalogue: Catalogue | None = None) -> None:
        self.settings = settings
        self.catalogue = catalogue or Catalogue.load()
        self.store = Store(settings.models)

    def installed(self) -> list[StoredModel]:
        return self.store.models()

    def cards(self) -> list[Card]:
        """The catalogue, and the cards of models here that are not in it."""
        known = self.catalogue.cards()
        others = [card for card in self.store.cards() if card.name not in self.catalogue]
        return known + [with_memory(card) for card in others]

    def search(self, text: str, task: Task | None = None) -> list[Card]:
        """The cards that have every word of `text`, those with it in the name first."""
        return matching(self.cards(), text, task)

    def card(self, name: str) -> Card:
        """The card of a model of the catalogue, or of one that is here."""
        for card in self.store.cards():
            if card.name == name:
                return with_memory(card)
        return self.catalogue.card(name)

    def find(self, name: str) -> StoredModel | None:
        """The model of that name that is here: the variant named, or the catalogue's default, or
        the one last pulled."""
        base, variant = split_variant(name)
        if variant is None and base in self.catalogue:
            default = self.catalogue.card(base).variants[0].name
            return self.store.find(base, default) or self.store.find(base)
        return self.store.find(base, variant) or self.store.at(Path(name))

    def resolve(self, name: str) -> StoredModel:
        """The model of that name that is here. `NotFound` with the next step when it is not."""
        base, _ = split_variant(name)
        model = self.find(name)
        if model is not None:
            return model
        if base in self.catalogue or source_type(base.partition(":")[0]) is not None:
            message = f"Model {name!r} is not here yet; 'headstart hub pull {name}' brings it."
        elif _is_path(name):
            message = (
                f"Nothing is registered at {name!r}; 'headstart hub add {name}' registers a "
                ".gguf file or a model folder."
            )
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
        variant = variant or named
        found = self.store.find(base, variant)
        if found is not None and (variant is not None or base not in self.catalogue):
            return found  # no source needs to be asked
        kind = None if base in self.catalogue else source_type(base.partition(":")[0])
        if kind is not None:
            card = self._asked_card(kind, base)
        elif base not in self.catalogue and _is_path(name):
            return self.store.at(Path(name)) or self.add_local(Path(name))
        else:
            card = self.catalogue.card(base)
        chosen = self.catalogue.variant(card, variant)
        report, cancelled = progress or _ignore, cancelled or threading.Event()
        with self.store.lock(card.name, chosen.name, cancelled):
            found = self.store.find(card.name, chosen.name)
            return found or self._fetch(card, chosen, report, cancelled)

    def _asked_card(self, kind: type[Source], name: str) -> Card:
        try:
            return kind.card(name, self.settings)
        except SourceFailed as error:
            raise Unavailable(
                f"Cannot get {name}: {error.message}. Models that are already here go on working.",
                code="hub_unreachable",
            ) from error

    def add_local(self, path: Path, name: str | None = None) -> StoredModel:
        """Register a .gguf file or a model folder by reference: its files stay where they are."""
        taken = {card.name for card in self.catalogue.cards()}
        manifest = local_manifest(path, name, taken)
        with self.store.lock(manifest.name, manifest.variant):
            work = self.store.work_folder(manifest.name, manifest.variant)
            return self.store.install(work, manifest)

    def remove(self, name: str) -> list[StoredModel]:
        """Delete a model's weights, and what an interrupted pull of it has left. Of a model
        registered by reference only the registration goes."""
        base, variant = split_variant(name)
        if self.store.discard_unfinished(base) and self.find(name) is None:
            return []
        model = self.resolve(name)
        return self.store.remove(model.name, variant)

    def _fetch(
        self, card: Card, variant: Variant, report: Report, cancelled: threading.Event
    ) -> StoredModel:
        work = self.store.work_folder(card.name, variant.name)
        try:
            pull = Pull(card, variant, work, self.settings, report, cancelled)
            folder, manifest = pull.run(keep_card=card.name not in self.catalogue)
            model = self.store.install(folder, manifest)
            shutil.rmtree(work)
            return model
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            free = shutil.disk_usage(self.store.folder).free
            raise Unavailable(
                f"No space left for {card.name} in {self.store.folder}: it takes about "
                f"{variant.bytes / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free. Free some "
                "space and pull again; what was fetched is kept.",
                code="disk_full",
            ) from error


def split_variant(name: str) -> tuple[str, str | None]:
    """ "model:Q8_0" → ("model", "Q8_0"). Paths and names with a source have no variant."""
    base, colon, variant = name.partition(":")
    if not colon or _is_path(name) or source_type(base) is not None:
        return name, None
    return base, variant or None


def _is_path(name: str) -> bool:
    return name.startswith(("/", "./", "../", "~")) or Path(name).exists()


def _ignore(_progress: PullProgress) -> None:
    """A pull that no one watches."""
