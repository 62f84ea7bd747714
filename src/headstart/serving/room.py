"""Room: whether a model fits into what is free now, asked before it is deployed."""

from __future__ import annotations

from typing import Any

from headstart.errors import BadRequest, NotFound
from headstart.hub.fit import fit
from headstart.hub.hub import Hub, split_variant
from headstart.hub.machine import Machine


def refuse_without_room(
    hub: Hub, model: str, engine: str, options: dict[str, Any], *, installed: bool
) -> None:
    """Raise `BadRequest` in plain words when memory or disk are too small.

    What has no card yet (a Hugging Face model before it is here) cannot be judged. `engine` is
    the one asked for; with "auto" the one that needs least counts.
    """
    if options.get("force"):
        return
    base, named = split_variant(model)
    try:
        card = hub.card(base)
    except NotFound:
        return
    variant = hub.catalogue.variant(card, options.get("variant") or named)
    if engine in variant.memory:
        variant = variant.model_copy(update={"memory": {engine: variant.memory[engine]}})
    verdict = fit(card, variant, Machine.now(hub.settings.models), installed=installed)
    if verdict.fits or not verdict.needs:  # without numbers, the engines have the say
        return
    raise BadRequest(
        f"'{model}' does not fit this machine now. {verdict.text} Stop another endpoint, choose a "
        "smaller model or variant, or deploy it all the same with 'force' (--force).",
        param="model",
        code="no_room",
    )
