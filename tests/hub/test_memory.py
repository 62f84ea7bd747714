"""The memory estimate against what workers were measured to hold."""

from __future__ import annotations

import pytest

from headstart.hub.cards import Attention
from headstart.hub.catalogue import Catalogue
from headstart.hub.memory import kv_cache


@pytest.mark.parametrize(
    ("name", "engine", "measured"),
    [
        ("smollm2-135m-instruct", "llamacpp", 259e6),
        ("smollm2-135m-instruct", "openvino", 409e6),
        ("qwen2.5-coder-0.5b-instruct", "llamacpp", 826e6),
        ("qwen2.5-coder-0.5b-instruct", "openvino", 1506e6),
    ],
)
def test_is_near_the_measurement_and_rather_above(name: str, engine: str, measured: float) -> None:
    estimate = Catalogue.load().card(name).variants[0].memory[engine]
    assert 0.94 * measured < estimate < 1.25 * measured


def test_kv_cache_is_the_known_formula() -> None:
    # Llama 3.1 8B: 128 KiB per token.
    assert kv_cache(Attention(layers=32, kv_heads=8, head_dim=128), 1) == 128 * 1024
    assert kv_cache(None, 4096) == 0


def test_engines_follow_format_and_task() -> None:
    catalogue = Catalogue.load()
    engines = {
        name: set(catalogue.card(name).variants[0].memory)
        for name in ("llama-3.2-1b-instruct", "gemma-3-1b-it", "flan-t5-xl", "bge-m3",
                     "ms-marco-minilm-l6-v2", "qwen3-embedding-0.6b")
    }  # fmt: skip
    assert engines == {
        "llama-3.2-1b-instruct": {"openvino", "llamacpp"},
        "gemma-3-1b-it": {"llamacpp"},
        "flan-t5-xl": {"ctranslate2"},
        "bge-m3": {"openvino-embeddings"},
        "ms-marco-minilm-l6-v2": set(),
        "qwen3-embedding-0.6b": {"llamacpp"},
    }
