"""Re-quantization: exact where it can be, close where it cannot, metadata untouched."""

from __future__ import annotations

import threading
import tracemalloc
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf.quants import dequantize

from headstart.hub.gguf_header import read_header
from headstart.hub.requantize import READABLE, needs_requantizing, requantize
from headstart.hub.sources.base import PullCancelled, PullProgress
from tests.hub.tiny_gguf import write_gguf


def converted(path: Path) -> Path:
    target = path.with_name("converted.gguf")
    requantize(path, target, lambda _: None, threading.Event())
    return target


def weights(path: Path) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    return [dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(path).tensors]


def test_q5_0_becomes_q8_0_without_changing_a_weight(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    write_gguf(path, types=("Q5_0", "F32", "Q8_0", "Q4_1"), rows=64)
    target = converted(path)
    assert read_header(target).types == {"F32", "Q8_0", "Q4_1"}
    for before, after in zip(weights(path), weights(target), strict=True):
        np.testing.assert_array_equal(before, after)


def test_other_types_are_rounded_to_eight_bits(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    write_gguf(path, types=("Q5_1",), rows=64)
    (before,), (after,) = weights(path), weights(converted(path))
    blocks = np.abs(before).reshape(-1, 32).max(axis=1)
    error = np.abs(before - after).reshape(-1, 32).max(axis=1)
    # Half a step of 1/127, and the scale itself rounded to half precision.
    assert (error <= blocks * (0.5 / 127 + 2**-11)).all()
    assert error.max() > 0


def test_metadata_is_copied_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    write_gguf(path, types=("Q5_0", "F32"), tokens=5000)
    target = converted(path)
    end = read_header(path).tensors_start
    assert target.read_bytes()[:end] == path.read_bytes()[:end]
    before, after = gguf.GGUFReader(path), gguf.GGUFReader(target)
    assert [t.name for t in before.tensors] == [t.name for t in after.tensors]
    assert after.fields["tokenizer.ggml.tokens"].contents()[4999] == "token-4999-é"


def test_memory_does_not_grow_with_the_model(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    write_gguf(path, types=("Q5_0",), rows=8192, columns=4096)  # 23 MB
    tracemalloc.start()
    try:
        converted(path)
        assert tracemalloc.get_traced_memory()[1] < 16e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("architecture", "types", "needed"),
    [
        ("llama", ("Q5_0", "F32"), True),
        ("qwen2", ("Q5_1",), True),
        ("llama", ("Q8_0", "Q4_1", "F16"), False),  # OpenVINO reads it as it is
        ("gemma3", ("Q5_0",), False),  # OpenVINO does not know the architecture anyway
        ("llama", ("BF16", "Q5_0"), False),  # whoever chose 16 bits does not want 8
    ],
)
def test_only_what_helps_is_converted(
    tmp_path: Path, architecture: str, types: tuple[str, ...], needed: bool
) -> None:
    write_gguf(tmp_path / "x.gguf", architecture=architecture, types=types)
    assert needs_requantizing(read_header(tmp_path / "x.gguf")) is needed


def test_reports_progress_and_can_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    write_gguf(path, types=("Q5_0", "F32"))
    seen: list[PullProgress] = []
    requantize(path, tmp_path / "y.gguf", seen.append, threading.Event())
    assert seen[-1].done == seen[-1].total == sum(t.bytes for t in read_header(path).tensors)
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(PullCancelled):
        requantize(path, tmp_path / "y.gguf", seen.append, cancelled)


@pytest.mark.real
def test_the_bundled_chat_model_is_readable_by_openvino(model_store: Path) -> None:
    (path,) = model_store.glob("qwen2.5-coder-0.5b-instruct/*/*.gguf")
    header = read_header(path)
    assert header.types <= READABLE
    assert sum(t.type.name == "Q8_0" for t in header.tensors) == 133 + 13
