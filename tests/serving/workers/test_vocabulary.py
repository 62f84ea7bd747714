from __future__ import annotations

from pathlib import Path

import pytest

from headstart.hub.gguf_header import read_header
from headstart.serving.workers.vocabulary import TextDecoder, Vocabulary, control_tokens

SMILE = "🙂".encode()
PIECES = {b"a": 0, SMILE[:1]: 1, SMILE[1:3]: 2, SMILE[3:]: 3, b"<|im_end|>": 4, b"<tool_call>": 5}


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(PIECES, {4})


def test_half_a_character_is_never_shown(vocabulary: Vocabulary) -> None:
    decoder = TextDecoder(vocabulary)
    texts = [decoder.add(token)[0] for token in (0, 1, 2, 3, 0)]
    assert texts == ["a", "", "", "🙂", "a"]


def test_a_character_that_stays_incomplete_is_replaced_when_the_next_begins(
    vocabulary: Vocabulary,
) -> None:
    decoder = TextDecoder(vocabulary)
    assert [decoder.add(token)[0] for token in (1, 0)] == ["", "\ufffda"]


def test_control_tokens_are_no_text_and_tool_marks_are(vocabulary: Vocabulary) -> None:
    assert vocabulary.text([0, 4, 5]) == "a<tool_call>"
    assert vocabulary.ends == {4}


def test_unknown_ids_are_empty(vocabulary: Vocabulary) -> None:
    assert vocabulary.bytes_of(10**9) == b""
    assert vocabulary.bytes_of(-1) == b""


@pytest.mark.real
def test_control_tokens_of_a_real_file(model_store: Path) -> None:
    header = read_header(model_store / "smollm2-135m-instruct" / "Q4_1" / "model.gguf")
    assert {0, 1, 2} <= control_tokens(header)
    assert len(control_tokens(header)) < 100
