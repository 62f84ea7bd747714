"""The catalogue: the open models that Headstart knows by name, read from `models/*.toml`."""

from __future__ import annotations

import difflib
import tomllib
from functools import cache
from importlib.resources import files

from headstart.errors import NotFound
from headstart.hub.cards import Card, Task, Variant
from headstart.hub.memory import with_memory


class Catalogue:
    """The model cards, in the order of the file: the bundled ones first."""

    def __init__(self, cards: list[Card]) -> None:
        self._cards = {card.name: with_memory(card) for card in cards}

    @staticmethod
    @cache
    def load() -> Catalogue:
        """The catalogue that ships in the package."""
        folder = files("headstart.hub") / "models"
        entries = [
            entry
            for task in Task
            for entry in tomllib.loads((folder / f"{task}.toml").read_text("utf-8"))["models"]
        ]
        return Catalogue([Card.model_validate(entry) for entry in entries])

    def __contains__(self, name: str) -> bool:
        return name in self._cards

    def cards(self) -> list[Card]:
        return list(self._cards.values())

    def card(self, name: str) -> Card:
        try:
            return self._cards[name]
        except KeyError:
            raise NotFound(
                f"No model {name!r} in the hub.{did_you_mean(name, list(self._cards))} "
                "'headstart hub list' shows all.",
                param="model",
                code="model_not_found",
            ) from None

    def variant(self, card: Card, name: str | None) -> Variant:
        """The variant of that name, or the default one."""
        if name is None:
            return card.variants[0]
        for variant in card.variants:
            if variant.name.casefold() == name.casefold():
                return variant
        offered = ", ".join(variant.name for variant in card.variants)
        raise NotFound(
            f"{card.name} has no variant {name!r}; it comes as {offered}.", param="variant"
        )


def matching(cards: list[Card], text: str, task: Task | None = None) -> list[Card]:
    """The cards in which every word of `text` occurs, those with it in the name first."""
    words = text.casefold().split()
    found = [
        card
        for card in cards
        if task in (None, card.task) and all(word in _searchable(card) for word in words)
    ]
    return sorted(found, key=lambda card: not all(word in card.name for word in words))


def did_you_mean(name: str, known: object) -> str:
    """ " Did you mean 'x'?" for the known name that is nearest, or nothing."""
    names = list(known) if isinstance(known, (dict, list)) else []
    near = difflib.get_close_matches(name.casefold(), names, n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def _searchable(card: Card) -> str:
    parts = [card.name, card.title, card.description, card.family, card.task, card.license]
    return " ".join([*parts, *card.languages]).casefold()
