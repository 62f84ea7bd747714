"""A tokenizer that needs no weights: words, parted into characters where unknown."""

from __future__ import annotations

from functools import cache

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

_WORDS = ("the", "cat", "sat", "on", "a", "mat", "and", "one", "two", "passage", "heading", "text")


@cache
def _serialized() -> str:
    characters = [chr(code) for code in range(33, 127)]
    vocabulary = ["[UNK]", "[CLS]", "[SEP]", *_WORDS, *characters, *(f"##{c}" for c in characters)]
    tokens = {token: number for number, token in enumerate(dict.fromkeys(vocabulary))}
    tokenizer = Tokenizer(models.WordPiece(tokens, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return str(tokenizer.to_str())


def tiny_tokenizer() -> Tokenizer:
    return Tokenizer.from_str(_serialized())
