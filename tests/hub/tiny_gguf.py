"""Small GGUF files, written with the `gguf` package's own writer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, quants
from gguf.constants import GGMLQuantizationType


def write_gguf(
    path: Path,
    *,
    architecture: str = "llama",
    types: tuple[str, ...] = ("Q8_0", "F32"),
    name: str | None = "Tiny Model",
    rows: int = 8,
    columns: int = 256,
    tokens: int = 100,
) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """Write a file with one tensor per type; returns their values before quantization."""
    writer = GGUFWriter(path, architecture)
    if name is not None:
        writer.add_name(name)
    writer.add_context_length(4096)
    writer.add_block_count(2)
    writer.add_file_type(15)
    writer.add_token_list([f"token-{i}-é" for i in range(tokens)])
    writer.add_token_types([1] * tokens)
    writer.add_chat_template("{{ messages }}")
    random = np.random.default_rng(7)
    values = {}
    for index, kind in enumerate(types):
        tensor = random.normal(size=(rows, columns)).astype(np.float32)
        data = quants.quantize(tensor, GGMLQuantizationType[kind])
        values[f"blk.{index}.weight"] = tensor
        writer.add_tensor(f"blk.{index}.weight", data, raw_dtype=GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return values
