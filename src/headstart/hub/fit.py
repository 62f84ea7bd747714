"""Does a model fit this machine, now? From the memory and disk that are free, not that exist."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from headstart.hub.cards import Card, Variant
from headstart.hub.machine import Machine


@dataclass(frozen=True, slots=True)
class Fit:
    """The answer, with the numbers it rests on in bytes."""

    fits: bool
    needs: int  # memory while serving; 0 when no engine here serves this format
    free: int
    engine: str  # the one that needs least; "" when there is none
    text: str  # for people


def fit(card: Card, variant: Variant, machine: Machine, *, installed: bool = False) -> Fit:
    """Whether that variant can be fetched (unless it is `installed`) and served here."""
    free = machine.memory_free
    engines = {name: need for name, need in variant.memory.items() if name in _engines()}
    if not engines:
        missing = " or ".join(variant.memory) or f"one for {card.task} in {variant.format} format"
        return Fit(False, 0, free, "", f"No engine here serves it yet; it takes {missing}.")
    engine, needs = min(engines.items(), key=lambda pair: pair[1])
    disk = 0 if installed else max(variant.bytes, variant.stored_bytes or 0)
    if needs > free:
        text = f"Needs {_gb(needs)} of memory, {_gb(free)} of {_gb(machine.memory_total)} are free."
        return Fit(False, needs, free, engine, text)
    if disk > machine.disk_free:
        text = f"Needs {_gb(disk)} on disk, {_gb(machine.disk_free)} are free."
        return Fit(False, needs, free, engine, text)
    return Fit(True, needs, free, engine, f"Fits: needs {_gb(needs)} of memory, {_gb(free)} free.")


@cache
def _engines() -> frozenset[str]:
    """The engines that are installed, by name; none of them is loaded for this."""
    return frozenset(entry.name for entry in entry_points(group="headstart.engines"))


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
