"""From token ids back to text, incrementally and without ever showing half a character."""

from __future__ import annotations

import codecs
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

import numpy as np

from headstart.hub.gguf_header import GgufHeader

_CONTROL = 3  # ggml's token type of <|im_end|> and its like
_TOKEN_TYPES = "tokenizer.ggml.token_type"  # noqa: S105 - not that kind of token
_ARRAY_HEAD = 12  # bytes before an array's items: type (u32) and length (u64)
_ENDS = frozenset(
    {
        b"<|im_end|>",
        b"<|endoftext|>",
        b"<|eot_id|>",
        b"<|eom_id|>",
        b"<|end_of_text|>",
        b"<|end|>",
        b"<end_of_turn>",
        b"</s>",
    }
)


class Vocabulary:
    """The bytes of every token. Control tokens have none; tool-call marks do."""

    def __init__(self, ids: Mapping[bytes, int], control: Container[int]) -> None:
        self._bytes = [b""] * (max(ids.values(), default=-1) + 1)
        for piece, token in ids.items():
            self._bytes[token] = b"" if token in control else piece
        self.ends = {token for piece, token in ids.items() if piece in _ENDS and token in control}

    def bytes_of(self, token: int) -> bytes:
        return self._bytes[token] if 0 <= token < len(self._bytes) else b""

    def text(self, tokens: Sequence[int]) -> str:
        return b"".join(map(self.bytes_of, tokens)).decode("utf-8", "replace")


class TextDecoder:
    """The text of one growing list of tokens; characters that are not complete wait.

    A character that the last token left incomplete is never shown.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, token: int) -> tuple[str, bytes]:
        """The text that this token completes, and the token's own bytes."""
        data = self._vocabulary.bytes_of(token)
        return self._decoder.decode(data), data


def control_tokens(header: GgufHeader) -> frozenset[int]:
    """Ids of the tokens that steer a model and are no text."""
    if _TOKEN_TYPES not in header.metadata:
        return frozenset()
    count = int(header.metadata[_TOKEN_TYPES])
    start = header.positions[_TOKEN_TYPES] + _ARRAY_HEAD
    types = _int32(header.path, start, count)
    return frozenset(np.flatnonzero(types == _CONTROL).tolist())


def _int32(path: Path, start: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.fromfile(path, dtype="<i4", count=count, offset=start)
