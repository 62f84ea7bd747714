"""The GGUF header reader against the `gguf` package's own writer and reader."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import pytest

from headstart.errors import BadRequest
from headstart.hub.gguf_header import read_header
from tests.hub.tiny_gguf import write_gguf


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_gguf(tmp_path / "tiny.gguf", types=("Q5_0", "F32", "Q8_0"))
    return tmp_path / "tiny.gguf"


def test_says_what_the_reference_reader_says(path: Path) -> None:
    header, reference = read_header(path), gguf.GGUFReader(path)
    assert header.architecture == "llama"
    assert header.name == "Tiny Model"
    assert header.context_length == 4096
    assert header.types == {"Q5_0", "F32", "Q8_0"}
    assert header.parameters == 3 * 8 * 256
    assert header.metadata["tokenizer.ggml.tokens"] == 100  # a list is given as its length
    for ours, theirs in zip(header.tensors, reference.tensors, strict=True):
        assert ours.name == theirs.name
        assert ours.shape == tuple(theirs.shape)
        assert ours.type == theirs.tensor_type
        assert ours.bytes == theirs.n_bytes
        assert header.data_start + ours.offset == theirs.data_offset
    assert header.tensors_start == reference.tensors[0].field.offset
    for key, value in header.metadata.items():
        field = reference.fields[key]
        expected = field.contents()
        assert value == (len(expected) if isinstance(expected, list) else expected), key


@pytest.mark.real
def test_reads_the_bundled_models(model_store: Path) -> None:
    for path in model_store.glob("*/*/*.gguf"):
        header = read_header(path)
        assert header.context_length
        assert header.parameters > 1e8


def test_every_cut_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    header = read_header(path)
    cut = path.with_name("cut.gguf")
    for length in [5, 20, 30, 100, header.tensors_start + 3, header.data_start, len(whole) - 1]:
        cut.write_bytes(whole[:length])
        with pytest.raises(BadRequest, match="truncated"):
            read_header(cut)


@pytest.mark.parametrize("content", [b"", b"GGU", b"PK\x03\x04 a zip", b"GGML" + bytes(100)])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.gguf").write_bytes(content)
    with pytest.raises(BadRequest, match="is not a GGUF file"):
        read_header(tmp_path / "x.gguf")


def nested_arrays(depth: int) -> bytes:
    return struct.pack("<IQ", 9, 1) * depth


@pytest.mark.parametrize(
    "rest",
    [
        struct.pack("<IQQ", 1, 0, 0),  # version
        struct.pack("<IQQ", 3, 2**63, 0),  # tensors
        struct.pack("<IQQ", 3, 0, 2**63),  # pairs
        struct.pack("<IQQQ", 3, 0, 1, 2**63 - 1),  # length of a key
        struct.pack("<IQQQ1sI", 3, 0, 1, 1, b"k", 99),  # type of a value
        struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"k", 9, 4, 2**62),  # length of an array
        struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"k", 9, 8, 2**62),  # … of strings
        struct.pack("<IQQQ1sI", 3, 0, 1, 1, b"k", 9) + nested_arrays(100_000),
        struct.pack("<IQQQ1sI", 3, 1, 0, 1, b"t", 2**32 - 1),  # dimensions
        struct.pack("<IQQQ1sIQIQ", 3, 1, 0, 1, b"t", 1, 32, 12345, 0),  # type of a tensor
        struct.pack("<IQQQ1sIQIQ", 3, 1, 0, 1, b"t", 1, 2**63, 8, 2**63),  # a huge tensor
    ],
)
def test_hostile_headers_are_refused(tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(b"GGUF" + rest + bytes(64))
    with pytest.raises(BadRequest):
        read_header(path)
