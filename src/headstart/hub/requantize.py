"""Turns the tensors of a GGUF that OpenVINO's reader refuses into Q8_0, which every engine reads.

Q5_0 and Q4_0 blocks share Q8_0's form (32 weights, one half-precision scale, symmetric), so their
integers move over as they are: the weights stay exactly the same numbers. Other types are
dequantized and rounded to 8 bits, which adds at most 1/254 of a block's largest weight. Metadata is
copied byte for byte. Memory stays bounded: a few megabytes per thread, whatever the model's size.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import quants
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

from headstart.hub.gguf_header import GgufHeader, TensorInfo, read_header
from headstart.hub.sources.base import PullProgress, Report, stop_if

Q8_0 = GGMLQuantizationType.Q8_0
# Tried one by one with OpenVINO GenAI 2026.4.
READABLE = frozenset({"F32", "F16", "Q4_0", "Q4_1", "Q8_0", "Q4_K", "Q6_K"})
ARCHITECTURES = frozenset({"llama", "qwen2", "qwen3"})

_WEIGHTS_AT_ONCE = 1 << 20
_BLOCK = 32  # weights in a block of Q8_0
_THREADS = 2

Bytes = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


def needs_requantizing(header: GgufHeader) -> bool:
    """Whether OpenVINO knows the architecture, and only quantized types keep it from reading.

    A file with BF16 tensors stays as it is: whoever chose 16 bits does not want 8.
    """
    return (
        header.architecture in ARCHITECTURES
        and "BF16" not in header.types
        and any(_refused(tensor) for tensor in header.tensors)
    )


def requantize(source: Path, target: Path, report: Report, cancelled: threading.Event) -> str:
    """Write `source` to `target` with its refused tensors as Q8_0; says what was changed."""
    header = read_header(source)
    moves = _plan(header)
    total = sum(move.old.bytes for move in moves)
    done, lock = 0, threading.Lock()

    def advance(count: int) -> None:
        nonlocal done
        stop_if(cancelled)
        with lock:
            done += count
            report(PullProgress("convert", done, total))

    with source.open("rb") as read, target.open("wb+") as write:
        start = _write_header(write.fileno(), header, moves, read.read(header.tensors_start))
        with (
            mmap.mmap(read.fileno(), 0, access=mmap.ACCESS_READ) as data,
            ThreadPoolExecutor(_THREADS, thread_name_prefix="requantize") as pool,
        ):
            job = _Job(data, header.data_start, write.fileno(), start, advance)
            for future in [pool.submit(job.move, move) for move in moves]:
                future.result()
        os.fsync(write.fileno())
    changed = sorted({move.old.type.name for move in moves if move.type != move.old.type})
    return f"{', '.join(changed)} → Q8_0"


@dataclass(frozen=True, slots=True)
class _Move:
    """A tensor, the type it is written as, and its offset in the new tensor data."""

    old: TensorInfo
    type: GGMLQuantizationType
    offset: int


def _refused(tensor: TensorInfo) -> bool:
    return tensor.type.name not in READABLE


def _plan(header: GgufHeader) -> list[_Move]:
    moves, offset = [], 0
    for tensor in header.tensors:
        kind = Q8_0 if _refused(tensor) else tensor.type
        moves.append(_Move(tensor, kind, offset))
        per_block, block_bytes = GGML_QUANT_SIZES[kind]
        offset = _aligned(offset + tensor.elements // per_block * block_bytes, header.alignment)
    return moves


def _write_header(file: int, header: GgufHeader, moves: list[_Move], metadata: bytes) -> int:
    """Metadata as it was, then the new tensor entries. Returns where the tensor data starts."""
    parts = [metadata]
    for move in moves:
        name, shape = move.old.name.encode(), move.old.shape
        parts.append(struct.pack("<Q", len(name)) + name)
        parts.append(struct.pack(f"<I{len(shape)}Q", len(shape), *shape))
        parts.append(struct.pack("<IQ", move.type, move.offset))
    content = b"".join(parts)
    _write(file, content, 0)
    return _aligned(len(content), header.alignment)


class _Job:
    """Moves tensors from a mapped file into another; `move` may run in several threads at once."""

    def __init__(
        self,
        data: mmap.mmap,
        data_start: int,
        file: int,
        start: int,
        advance: Callable[[int], None],
    ) -> None:
        self.data = data
        self.data_start = data_start
        self.file = file
        self.start = start
        self.advance = advance

    def move(self, move: _Move) -> None:
        per_block, block_bytes = GGML_QUANT_SIZES[move.old.type]
        step = _WEIGHTS_AT_ONCE // per_block * block_bytes
        at, end = (
            self.data_start + move.old.offset,
            self.data_start + move.old.offset + move.old.bytes,
        )
        target = self.start + move.offset
        for begin in range(at, end, step):
            chunk = self.data[begin : min(begin + step, end)]
            out = chunk if move.type == move.old.type else _to_q8_0(chunk, move.old.type)
            _write(self.file, out, target)
            target += len(out)
            self.advance(len(chunk))


def _to_q8_0(chunk: bytes, kind: GGMLQuantizationType) -> bytes:
    """Whole blocks of `kind` as blocks of Q8_0."""
    blocks = np.frombuffer(chunk, np.uint8).reshape(-1, GGML_QUANT_SIZES[kind][1])
    if kind.name == "Q5_0":
        return _from_q5_0(blocks).tobytes()
    weights = quants.dequantize(blocks, kind)
    return quants.quantize(weights.reshape(-1, _BLOCK), Q8_0).tobytes()


def _from_q5_0(blocks: Bytes) -> Bytes:
    """Q5_0 block: scale (2 bytes), the 32 high bits (4), low nibbles of weights i and i+16 (16)."""
    out = np.empty((len(blocks), 34), np.uint8)
    out[:, :2] = blocks[:, :2]
    high = np.unpackbits(blocks[:, 2:6], axis=1, bitorder="little")
    nibbles = blocks[:, 6:]
    values = out[:, 2:]
    np.bitwise_and(nibbles, 15, out=values[:, :16])
    np.right_shift(nibbles, 4, out=values[:, 16:])
    values |= high << 4
    values -= 16  # wraps to the two's complement of a signed byte
    return out


def _aligned(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment


def _write(file: int, content: bytes, offset: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written
