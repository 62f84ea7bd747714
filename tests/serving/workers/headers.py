"""Headers of GGUF files that were never written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gguf.constants import GGMLQuantizationType

from headstart.hub.gguf_header import GgufHeader, TensorInfo


def header(
    architecture: str,
    *types: str,
    tensors: tuple[str, ...] = (),
    tokenizer: str = "gpt2",
    attention: dict[str, int] | None = None,
    **of: int,
) -> GgufHeader:
    """Tensors of these `types`, more named `tensors`; `of` are the architecture's own numbers."""
    numbers = {**of, **{f"attention.{key}": value for key, value in (attention or {}).items()}}
    infos = [TensorInfo(f"t{i}", (32,), GGMLQuantizationType[t], 0) for i, t in enumerate(types)]
    infos += [TensorInfo(name, (32,), GGMLQuantizationType.F32, 0) for name in tensors]
    metadata: dict[str, Any] = {
        "general.architecture": architecture,
        "tokenizer.ggml.model": tokenizer,
        **{f"{architecture}.{key}": value for key, value in numbers.items()},
    }
    return GgufHeader(Path("model.gguf"), 3, metadata, {}, tuple(infos), 0, 0)
