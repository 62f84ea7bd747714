"""A model that is here: weight files in the hub's store, verified, ready for an engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headstart.hub.cards import Task


@dataclass(frozen=True, slots=True)
class StoredModel:
    """Weight files on this machine, as an engine needs to see them."""

    name: str
    variant: str
    task: Task
    path: Path  # a .gguf file, or a folder (ONNX + tokenizer, CTranslate2, safetensors)
    bytes: int
    digest: str  # SHA-256 of the weights as they came from the source
    context_length: int
    architecture: str | None = None  # GGUF's general.architecture, where known
