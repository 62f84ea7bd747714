from __future__ import annotations

import random

import pytest

from headstart.hub.gguf_header import GgufHeader
from headstart.serving.workers.kv_cache import bytes_per_token, capacity, fitting_context
from headstart.serving.workers.openvino import split_text
from tests.serving.workers.headers import header


@pytest.mark.parametrize("seed", range(20))
def test_parts_are_short_and_together_the_whole(seed: int) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choice("ab ,.\n日本🙂<|im_end|>") for _ in range(5000))
    parts = split_text(text, 400)
    assert "".join(parts) == text
    assert all(0 < len(part.encode()) <= 400 for part in parts)


def test_cuts_are_between_words() -> None:
    parts = split_text("a sentence of words, with a comma. " * 100, 400)
    assert all(part[0] in " ," for part in parts[1:])
    assert all(part[-1].isalpha() for part in parts[:-1])


def test_short_and_empty_texts_are_not_cut() -> None:
    assert split_text("", 400) == []
    assert split_text("a b", 400) == ["a b"]
    assert split_text("x" * 1000, 400) == ["x" * 100] * 10


def smol() -> GgufHeader:
    return header(
        "llama",
        block_count=30,
        embedding_length=576,
        context_length=8192,
        attention={"head_count": 9, "head_count_kv": 3},
    )


def test_the_memory_of_a_token() -> None:
    assert bytes_per_token(smol(), 2.0) == 30 * 3 * 128 * 2
    wide = header(
        "qwen3",
        block_count=1,
        embedding_length=1024,
        attention={"head_count": 16, "head_count_kv": 8, "key_length": 128, "value_length": 128},
    )
    assert bytes_per_token(wide, 1.0) == 8 * 256


def test_the_context_fits_the_cache() -> None:
    room = capacity(smol(), 0.5, 2.0)
    assert room == 2**29 // (30 * 3 * 128 * 2)
    assert fitting_context(room, 8192, 0.5) == 8192
    assert fitting_context(4000, 8192, 0.1) == 4000
    with pytest.raises(Exception, match="'cache_gb'"):
        fitting_context(100, 8192, 0.001)
