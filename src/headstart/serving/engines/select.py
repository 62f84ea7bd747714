"""Which engine serves a model: the one that was asked for, or the fastest that can load it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

import structlog

from headstart.errors import BadRequest
from headstart.hub.stored import StoredModel
from headstart.serving.engines.base import Engine

log = structlog.get_logger(__name__)

AUTO = "auto"
_FASTEST_FIRST = ("openvino", "openvino-embeddings", "llamacpp")
_NEVER_AUTOMATIC = ("echo",)


@dataclass(frozen=True, slots=True)
class Choice:
    engine: Engine
    reason: str


@cache
def load_engines() -> dict[str, Engine]:
    """Every installed engine by name. One that cannot be imported is logged and left out."""
    engines: dict[str, Engine] = {}
    for entry in entry_points(group="headstart.engines"):
        try:
            engines[entry.name] = entry.load()()
        except ImportError as error:
            log.warning("engine left out", engine=entry.name, why=str(error))
    return engines


def choose(model: StoredModel, requested: str, engines: Mapping[str, Engine]) -> list[Choice]:
    """The engines to try, best first. Raises `BadRequest` when none can serve the model."""
    if requested != AUTO:
        refusal = engines[requested].refusal(model)
        if refusal is not None:
            raise BadRequest(f"{requested} cannot serve {model.name}: {refusal}", param="engine")
        return [Choice(engines[requested], "asked for")]
    if model.name in _NEVER_AUTOMATIC and model.name in engines:
        return [Choice(engines[model.name], "the one that needs no weights")]
    choices: list[Choice] = []
    refusals: list[str] = []
    for name in sorted(engines, key=_rank):
        if name in _NEVER_AUTOMATIC:
            continue
        refusal = engines[name].refusal(model)
        if refusal is None:
            since = f" ({'; '.join(refusals)})" if refusals else ""
            choices.append(Choice(engines[name], f"the fastest that can serve it{since}"))
        else:
            refusals.append(f"{name}: {refusal}")
    if not choices:
        raise BadRequest(f"no engine can serve {model.name}: {'; '.join(refusals)}", param="model")
    return choices


def _rank(name: str) -> int:
    return _FASTEST_FIRST.index(name) if name in _FASTEST_FIRST else len(_FASTEST_FIRST)
