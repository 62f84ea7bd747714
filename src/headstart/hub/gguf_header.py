"""The header of a GGUF file: its metadata and where its tensors lie, without reading weights.

The `gguf` package's reader takes seconds on a vocabulary of 150,000 tokens because it keeps every
token as an array; this one steps over the long lists. Layout: ggml's docs/gguf.md, versions 2 and
3, little-endian.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

from headstart.errors import BadRequest

MAGIC = b"GGUF"
_STRING, _ARRAY = 8, 9
_SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q",
    12: "<d",
}  # fmt: skip
_MAX_DIMENSIONS = 8
_DAMAGE = (struct.error, ValueError, KeyError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor's entry in the header. `offset` counts from the start of the tensor data."""

    name: str
    shape: tuple[int, ...]  # fastest-varying dimension first, as ggml writes it
    type: GGMLQuantizationType
    offset: int

    @property
    def elements(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def bytes(self) -> int:
        per_block, block_bytes = GGML_QUANT_SIZES[self.type]
        return self.elements // per_block * block_bytes


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says of itself."""

    path: Path
    version: int
    metadata: dict[str, Any]  # scalars and strings; a list is given as its length
    positions: dict[str, int] = field(repr=False)  # key → file offset of its value
    tensors: tuple[TensorInfo, ...] = field(repr=False)
    tensors_start: int  # file offset of the first tensor's entry
    data_start: int  # file offset of the tensor data

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", "unknown"))

    @property
    def name(self) -> str | None:
        name = self.metadata.get("general.name")
        return str(name) if name else None

    @property
    def alignment(self) -> int:
        return int(self.metadata.get("general.alignment", 32))

    @property
    def context_length(self) -> int | None:
        return self.of_architecture("context_length")

    @property
    def parameters(self) -> int:
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def types(self) -> frozenset[str]:
        """The names of the tensor types in the file, for example {"F32", "Q4_K", "Q6_K"}."""
        return frozenset(tensor.type.name for tensor in self.tensors)

    def of_architecture(self, key: str) -> int | None:
        """A number that the file keeps under its architecture: "block_count", "context_length"."""
        value = self.metadata.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) else None


def read_header(path: Path) -> GgufHeader:
    """Read and check the header. `BadRequest` when the file is not GGUF, or is cut short."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise BadRequest(f"{path} is not a GGUF file: it does not start with {MAGIC!r}.")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                header = _Parser(path, data).header()
            except _DAMAGE as error:
                raise BadRequest(
                    f"{path} is truncated or damaged: its header cannot be read ({error})."
                ) from error
    end = max((header.data_start + t.offset + t.bytes for t in header.tensors), default=0)
    if end > size:
        raise BadRequest(
            f"{path} is truncated: it has {size:,} bytes and should have {end:,}. "
            "Download it again."
        )
    return header


class _Parser:
    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path = path
        self.data = data
        self.at = 4

    def header(self) -> GgufHeader:
        version = self.scalar("<I")
        if version not in (2, 3):
            raise ValueError(f"GGUF version {version} is not 2 or 3")
        tensor_count, pair_count = self.scalar("<Q"), self.scalar("<Q")
        metadata: dict[str, Any] = {}
        positions: dict[str, int] = {}
        for _ in range(pair_count):
            key, kind = self.string(), self.scalar("<I")
            positions[key] = self.at
            metadata[key] = self.value(kind)
        tensors_start = self.at
        tensors = tuple(self.tensor() for _ in range(tensor_count))
        if self.at > len(self.data):
            raise ValueError("it reaches beyond the end of the file")
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment <= 0:
            raise ValueError(f"general.alignment is {alignment!r}")
        data_start = -(-self.at // alignment) * alignment
        return GgufHeader(
            self.path, version, metadata, positions, tensors, tensors_start, data_start
        )

    def scalar(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def string(self) -> str:
        length = self.scalar("<Q")
        end = self.at + length
        if end > len(self.data):
            raise ValueError("a string reaches beyond the end of the file")
        text = self.data[self.at : end].decode("utf-8", "replace")
        self.at = end
        return text

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            return self.array_length()
        return self.scalar(_SCALARS[kind])

    def array_length(self) -> int:
        kind, length = self.scalar("<I"), self.scalar("<Q")
        if kind == _STRING:
            self.skip_strings(length)
        elif kind == _ARRAY:
            for _ in range(length):
                self.array_length()
        else:
            self.at += length * struct.calcsize(_SCALARS[kind])
        return int(length)

    def skip_strings(self, count: int) -> None:
        unpack, data, at = struct.Struct("<Q").unpack_from, self.data, self.at
        for _ in range(count):
            at += 8 + unpack(data, at)[0]
        self.at = at

    def tensor(self) -> TensorInfo:
        name, dimensions = self.string(), self.scalar("<I")
        if dimensions > _MAX_DIMENSIONS:
            raise ValueError(f"tensor {name!r} has {dimensions} dimensions")
        shape = tuple(self.scalar("<Q") for _ in range(dimensions))
        return TensorInfo(name, shape, GGMLQuantizationType(self.scalar("<I")), self.scalar("<Q"))
