"""Counting tokens as an embedder does, many texts at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tokenizers import Tokenizer

_BATCH = 512


class TokenCounter:
    """Counts by a tokenizer, special tokens included, or by any function of a text."""

    def __init__(self, count: Tokenizer | Callable[[str], int]) -> None:
        self._many = _many(count)
        self.special = self.counts([""])[0]  # tokens around every text

    def counts(self, texts: Sequence[str]) -> list[int]:
        counts: list[int] = []
        for first in range(0, len(texts), _BATCH):
            counts += self._many(texts[first : first + _BATCH])
        return counts

    def own(self, texts: Sequence[str]) -> list[int]:
        """Tokens of the texts themselves, without the special ones around them."""
        return [count - self.special for count in self.counts(texts)]


def _many(count: Tokenizer | Callable[[str], int]) -> Callable[[Sequence[str]], list[int]]:
    if not isinstance(count, Tokenizer):
        return lambda texts: [count(text) for text in texts]
    tokenizer = Tokenizer.from_str(count.to_str())
    tokenizer.no_truncation()  # which would hide what is beyond the limit
    tokenizer.no_padding()
    return lambda texts: [len(encoding) for encoding in tokenizer.encode_batch_fast(texts)]
