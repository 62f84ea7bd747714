"""Sentence embedders in ONNX form through OpenVINO: `sentence-transformers` models, that is.

Reads what such a model says of itself (length, pooling, normalisation). A text longer than the
model's limit is cut there, as `sentence-transformers` does; `usage` counts what was read. With
the option `too_long = "refuse"` it is a 400 instead.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openvino
from pydantic import BaseModel, ConfigDict, Field
from tokenizers import Tokenizer

from headstart.errors import BadRequest, ContextTooLong
from headstart.serving.requests import EmbeddingRequest
from headstart.serving.workers.base import Backend, Embeddings
from headstart.serving.workers.embedding_batch import EmbeddingBatch
from headstart.serving.workers.process import Arguments, run

log = logging.getLogger(__name__)

_MAX_INPUTS = 2048  # OpenAI's limit
_Floats = np.ndarray[Any, np.dtype[np.float32]]


class Options(BaseModel):
    """What `options` of an endpoint may set."""

    model_config = ConfigDict(extra="forbid")

    too_long: Literal["truncate", "refuse"] = Field(
        "truncate", description="What becomes of a text that is longer than the model's limit."
    )


class OpenVinoEmbeddings(Backend):
    unsupported = frozenset({"dimensions"})

    def __init__(self, path: Path, context_length: int, threads: int, options: Options) -> None:
        super().__init__()
        self._path = path
        self._threads = threads
        self._refuse_long = options.too_long == "refuse"
        self.context_length = context_length

    def load(self) -> None:
        settings = _read_json(self._path / "sentence_bert_config.json")
        self.context_length = min(
            self.context_length, settings.get("max_seq_length", self.context_length)
        )
        self._pool = _cls if _pools_cls(self._path) else _mean
        self._normalize = _normalizes(self._path)
        self._tokenizer = Tokenizer.from_file(str(self._path / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._vocabulary = self._tokenizer.get_vocab_size()
        core = openvino.Core()  # type: ignore[attr-defined]
        model = core.read_model(min(self._path.glob("*.onnx")))
        self._inputs = {port.any_name for port in model.inputs}
        properties = {"INFERENCE_NUM_THREADS": self._threads, "PERFORMANCE_HINT": "LATENCY"}
        self._model = core.compile_model(model, "CPU", properties)
        self._batch = EmbeddingBatch(self._embed)

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=special).ids
        return ids

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        if request.dimensions is not None:
            raise BadRequest(
                "'dimensions' cannot be chosen with this model; leave it out.",
                param="dimensions",
                code="unsupported_parameter",
            )
        texts = await asyncio.to_thread(self._texts_of, request)
        return Embeddings(await self._batch.embed(texts), sum(map(len, texts)))

    def _texts_of(self, request: EmbeddingRequest) -> list[Sequence[int]]:
        given = self._inputs_of(request)
        texts: list[Sequence[int]] = [self._limited(tokens) for tokens in given]
        cut = sum(len(tokens) > self.context_length for tokens in given)
        if cut:
            log.warning(
                "%d of %d texts were cut to %d tokens", cut, len(given), self.context_length
            )
        return texts

    def _inputs_of(self, request: EmbeddingRequest) -> list[list[int]]:
        given: list[Any]
        if isinstance(request.input, str) or (request.input and isinstance(request.input[0], int)):
            given = [request.input]
        else:
            given = list(request.input)
        if not given or not all(given):
            raise BadRequest("input must not be empty, nor hold an empty text", param="input")
        if len(given) > _MAX_INPUTS:
            raise BadRequest(
                f"input has {len(given)} texts; at most {_MAX_INPUTS} are taken at once",
                param="input",
            )
        texts = [item for item in given if isinstance(item, str)]
        if len(texts) == len(given):
            return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]
        if texts or not all(0 <= token < self._vocabulary for item in given for token in item):
            raise BadRequest("input holds token ids that this model does not know", param="input")
        return given

    def _limited(self, tokens: list[int]) -> list[int]:
        if len(tokens) <= self.context_length:
            return tokens
        if self._refuse_long:
            error = ContextTooLong(len(tokens), self.context_length)
            error.param = "input"
            raise error
        return tokens[: self.context_length - 1] + tokens[-1:]  # keeps the closing mark

    def _embed(self, texts: list[Sequence[int]]) -> list[bytes]:
        longest = max(map(len, texts))
        ids = np.zeros((len(texts), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(texts):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._model({name: feed[name] for name in self._inputs})[0]
        vectors = self._pool(hidden, mask.astype(np.float32))
        if self._normalize:
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return [vector.tobytes() for vector in vectors.astype("<f4")]


def _mean(hidden: _Floats, mask: _Floats) -> _Floats:
    """Mean over a text's tokens. hidden: (texts, tokens, size); mask: (texts, tokens)."""
    total: _Floats = np.einsum("btd,bt->bd", hidden, mask)
    mean: _Floats = total / mask.sum(axis=1, keepdims=True)
    return mean


def _cls(hidden: _Floats, _mask: _Floats) -> _Floats:
    return hidden[:, 0].copy()


def _pools_cls(folder: Path) -> bool:
    pooling = _read_json(folder / "1_Pooling" / "config.json")
    if pooling.get("pooling_mode_mean_tokens", True):
        return False
    if pooling.get("pooling_mode_cls_token"):
        return True
    raise ValueError(f"{folder} pools its token vectors in a way that is not known here: {pooling}")


def _normalizes(folder: Path) -> bool:
    modules = _read_json(folder / "modules.json")
    return not modules or any(module["type"].endswith("Normalize") for module in modules)


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def main() -> None:
    arguments = Arguments.parse()
    options = Options.model_validate(arguments.options)
    backend = OpenVinoEmbeddings(
        arguments.model, arguments.context_length, arguments.threads, options
    )
    run(backend, arguments)


if __name__ == "__main__":
    main()
