"""Chat models through OpenVINO GenAI: continuous batching, prefix caching, grammars.

Reads GGUF files of the architectures that OpenVINO knows. Tokens are turned into text here, not by
OpenVINO, whose detokenizer drops tool-call marks and shows halves of characters. Sampling
defaults are llama.cpp's, so that a model behaves alike on both engines.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import openvino_genai
from openvino_genai import GenerationFinishReason
from pydantic import BaseModel, ConfigDict, Field

from headstart.hub.gguf_header import read_header
from headstart.serving.workers.base import Backend, Job, Piece, Sampling, Token
from headstart.serving.workers.batch import Batch, Output
from headstart.serving.workers.constraints import constraint
from headstart.serving.workers.kv_cache import capacity, fitting_context
from headstart.serving.workers.process import Arguments, run
from headstart.serving.workers.templates import ChatTemplate
from headstart.serving.workers.vocabulary import TextDecoder, Vocabulary, control_tokens

_TEMPERATURE, _TOP_P, _TOP_K, _MIN_P = 0.8, 0.95, 40, 0.05
_CACHED_VALUE = 1.1875  # bytes: u8 with its scales and zero points
_BLOCK = 32  # tokens in a block of the KV cache on a CPU
_PART = 1024  # tokens of a prompt that are read at once; a multiple of what a step takes
_TOKENIZER_LIMIT = 8000  # bytes; OpenVINO's GGUF tokenizer keeps the last 8192 tokens, silently
_SAFE_CUT = re.compile(r"(?<=[^\W\d_])(?=[\s.,;。，、！？])")  # where no token spans two words
_FINISH = {GenerationFinishReason.STOP: "stop", GenerationFinishReason.LENGTH: "length"}


class Options(BaseModel):
    """What `options` of an endpoint may set."""

    model_config = ConfigDict(extra="forbid")

    cache_gb: float = Field(0.5, gt=0, description="Memory for the KV cache.")


class OpenVino(Backend):
    unsupported = frozenset({"logit_bias"})

    def __init__(self, path: Path, context_length: int, threads: int, options: Options) -> None:
        super().__init__()
        self._path = path
        self._threads = threads
        self._options = options
        self.context_length = context_length
        self._running = 0

    def load(self) -> None:
        header = read_header(self._path)
        cache_gb = self._options.cache_gb
        room = capacity(header, cache_gb, _CACHED_VALUE)
        self.context_length = fitting_context(room, self.context_length, cache_gb)
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.num_kv_blocks = room // _BLOCK + 1
        scheduler.enable_prefix_caching = True
        properties = {"INFERENCE_NUM_THREADS": self._threads, "KV_CACHE_PRECISION": "u8"}
        pipeline = openvino_genai.ContinuousBatchingPipeline(
            self._path, scheduler, "CPU", properties
        )
        self._tokenizer = pipeline.get_tokenizer()
        self._vocabulary = Vocabulary(self._tokenizer.get_vocab(), control_tokens(header))
        self._ends = self._vocabulary.ends | set(pipeline.get_config().stop_token_ids)
        self._bos = self._tokenizer.get_bos_token()
        self._adds_bos = bool(header.metadata.get("tokenizer.ggml.add_bos_token", False))
        self._template = ChatTemplate(
            header.metadata.get("tokenizer.chat_template"),
            bos=self._bos,
            eos=self._tokenizer.get_eos_token(),
        )
        self._batch = Batch(pipeline, self.on_failure)

    @property
    def running(self) -> int:
        return self._running

    def close(self) -> None:
        self._batch.close()

    def render(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> str:
        return self._template.render(messages, tools)

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        if special and self._adds_bos and not text.startswith(self._bos):
            text = self._bos + text
        return [token for part in split_text(text, _TOKENIZER_LIMIT) for token in self._ids(part)]

    def _ids(self, text: str) -> list[int]:
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        ids: list[int] = encoded.input_ids.data[0].tolist()
        return ids

    def detokenize(self, tokens: list[int]) -> str:
        return self._vocabulary.text(tokens)

    def check(self, job: Job) -> None:
        constraint(job.format, job.tools)

    async def generate(self, job: Job) -> AsyncGenerator[Piece, None]:
        config = self._config(job.sampling)
        rules = constraint(job.format, job.tools)
        if rules is not None:
            config.structured_output_config = rules.config()
        text, answer = TextDecoder(self._vocabulary), ""
        self._running += 1
        try:
            await self._fill(job.prompt)
            async with aclosing(self._batch.generate(job.prompt, config)) as outputs:
                async for output in outputs:
                    tokens = self._read(output, text, job.sampling)
                    finish = _finish(output)
                    if rules is not None and rules.loose:
                        answer += "".join(token.text for token in tokens)
                        if finish == "stop" and not rules.holds(answer):
                            finish = "length"
                    yield Piece(tokens, finish)
        finally:
            self._running -= 1

    async def _fill(self, prompt: list[int]) -> None:
        """Put a long prompt into the prefix cache, part by part.

        The pipeline takes one prompt after the other: without this, a short question would wait
        until a long document has been read.
        """
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens = 1
        for end in range(_PART, len(prompt), _PART):
            async with aclosing(self._batch.generate(prompt[:end], config)) as outputs:
                async for _ in outputs:
                    pass

    def _config(self, sampling: Sampling) -> openvino_genai.GenerationConfig:
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens = sampling.max_tokens
        config.stop_token_ids = self._ends
        config.presence_penalty = sampling.presence_penalty
        config.frequency_penalty = sampling.frequency_penalty
        config.logprobs = int(sampling.logprobs)
        config.do_sample = sampling.temperature != 0
        if config.do_sample:
            given = sampling.temperature
            config.temperature = _TEMPERATURE if given is None else given
            config.top_p = _TOP_P if sampling.top_p is None else sampling.top_p
            config.top_k, config.min_p = _TOP_K, _MIN_P
            seed = secrets.randbits(63) if sampling.seed is None else sampling.seed
            config.rng_seed = seed % 2**64
        return config

    def _read(self, output: Output, text: TextDecoder, sampling: Sampling) -> list[Token]:
        tokens = []
        for number, token in enumerate(output.tokens):
            if token in self._ends:
                continue
            shown, data = text.add(token)
            tokens.append(
                Token(shown, data, output.logprobs[number] if sampling.logprobs else None)
            )
        return tokens


def split_text(text: str, limit: int) -> list[str]:
    """Parts of at most `limit` bytes of UTF-8, cut where their tokens are those of the whole.

    Where a part has no such place (a long text without spaces or punctuation) it is cut anyway:
    nothing is lost, but the tokens around the cut may be shorter than they could be.
    """
    if len(text) * 4 <= limit or len(text.encode("utf-8", "replace")) <= limit:
        return [text] if text else []
    parts = []
    step = limit // 4  # characters, of at most four bytes each
    start = 0
    while len(text) - start > step:
        cuts = [
            match.start() for match in _SAFE_CUT.finditer(text, start + step // 2, start + step)
        ]
        end = cuts[-1] if cuts else start + step
        parts.append(text[start:end])
        start = end
    return [*parts, text[start:]]


def _finish(output: Output) -> Any:
    return _FINISH.get(output.finish)


def main() -> None:
    arguments = Arguments.parse()
    options = Options.model_validate(arguments.options)
    run(OpenVino(arguments.model, arguments.context_length, arguments.threads, options), arguments)


if __name__ == "__main__":
    main()
