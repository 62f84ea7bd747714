from __future__ import annotations

from headstart.knowledge.tokens import TokenCounter
from tests.knowledge.tokenizer import tiny_tokenizer


def test_truncation_and_padding_of_the_tokenizer_do_not_hide_tokens() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    counter = TokenCounter(tokenizer)
    assert counter.special == 2
    assert counter.counts(["", "the cat", "the " * 50]) == [2, 4, 52]
    assert counter.own(["the cat"]) == [2]
    assert len(tokenizer.encode("the cat").ids) == 8  # the caller's is as it was


def test_any_function_counts() -> None:
    counter = TokenCounter(lambda text: len(text.split()))
    assert counter.special == 0
    assert counter.counts(["a b", ""] * 700) == [2, 0] * 700
