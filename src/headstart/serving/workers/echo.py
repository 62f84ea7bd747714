"""A model that needs no weights: it says the last user (or tool) message back, word by word.

The same input always gives the same output, whatever the seed or temperature:

- a token is a word with the white space before it, so usage counts words
- a plain completion says the prompt back
- `response_format` gives `{"echo": …}` or the smallest instance of the schema
- a tool is called, with the smallest arguments, when `tool_choice` asks for it or the message
  names it
- an embedding is a hashed bag of words: texts with common words have similar vectors

"""

from __future__ import annotations

import asyncio
import json
import math
import re
import struct
import zlib
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from headstart.errors import BadRequest
from headstart.serving.requests import EmbeddingRequest
from headstart.serving.workers.base import Backend, Embeddings, Job, Piece, Token
from headstart.serving.workers.minimal_json import smallest
from headstart.serving.workers.process import Arguments, run

DIMENSIONS = 384
_WORD = re.compile(r"\s*\S+|\s+\Z")
_TURN = re.compile(r"<\|(system|user|assistant|tool)\|>\n")


class Options(BaseModel):
    """What `options` of an endpoint may set."""

    model_config = ConfigDict(extra="forbid")

    delay_ms: float = Field(0, ge=0, description="Milliseconds per word, to see streaming.")


class Echo(Backend):
    unsupported: ClassVar[frozenset[str]] = frozenset({"logit_bias"})

    def __init__(self, context_length: int, delay: float = 0.0) -> None:
        """`delay`: seconds per word."""
        super().__init__()
        self.context_length = context_length
        self._running = 0
        self._delay = delay
        self._words: dict[int, str] = {}  # of every id that was given out

    @property
    def running(self) -> int:
        return self._running

    def load(self) -> None:
        """There is nothing to load."""

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        tokens = []
        for word in _WORD.findall(text):
            token = zlib.crc32(word.encode("utf-8", "surrogatepass"))
            self._words[token] = word
            tokens.append(token)
        return tokens

    def detokenize(self, tokens: list[int]) -> str:
        try:
            return "".join(self._words[token] for token in tokens)
        except KeyError as error:
            raise BadRequest(f"token {error} is unknown", param="prompt") from None

    def render(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> str:
        named = [str(tool.get("function", {}).get("name")) for tool in tools or []]
        head = f"<|system|>\nTools: {', '.join(named)}\n" if named else ""
        turns = [f"<|{message['role']}|>\n{message['content']}\n" for message in messages]
        return head + "".join(turns) + "<|assistant|>\n"

    async def generate(self, job: Job) -> AsyncGenerator[Piece, None]:
        text = self._answer(_last_message(self.detokenize(job.prompt)), job)
        words = _WORD.findall(text)
        limit = job.sampling.max_tokens
        self._running += 1
        try:
            for number, word in enumerate(words[:limit], 1):
                await asyncio.sleep(self._delay)
                data = word.encode("utf-8", "replace")
                token = Token(word, data, _logprob(data) if job.sampling.logprobs else None)
                done = number == len(words)
                yield Piece([token], "stop" if done else "length" if number == limit else None)
            if not words:
                yield Piece([], "stop")
        finally:
            self._running -= 1

    def _answer(self, said: str, job: Job) -> str:
        if job.tools is not None:
            for function in job.tools.functions:
                if job.tools.required or function["name"] in said:
                    arguments = smallest(function.get("parameters") or {"type": "object"})
                    call = {"name": function["name"], "arguments": arguments}
                    return f"<tool_call>{json.dumps(call, ensure_ascii=False)}</tool_call>"
        if job.format is None or job.format.type == "text":
            return said
        if job.format.json_schema is None or job.format.json_schema.schema_ is None:
            return json.dumps({"echo": said}, ensure_ascii=False)
        return json.dumps(smallest(job.format.json_schema.schema_), ensure_ascii=False)

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        if request.dimensions is not None:
            raise BadRequest(
                f"'dimensions' cannot be chosen: these vectors have {DIMENSIONS}",
                param="dimensions",
                code="unsupported_parameter",
            )
        texts = [request.input] if isinstance(request.input, str) else request.input
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            raise BadRequest("input must be text that is not empty", param="input")
        words = [str(text).lower().split() for text in texts]
        return Embeddings([_bag(bag) for bag in words], sum(map(len, words)))


def _last_message(prompt: str) -> str:
    """What the last user or tool message says; the prompt itself where there are no messages."""
    parts = _TURN.split(prompt)  # before, role, text, role, text, …
    for role, text in zip(parts[-2::-2], parts[-1::-2], strict=False):
        if role in ("user", "tool"):
            return text.removesuffix("\n")
    return prompt


def _logprob(data: bytes) -> float:
    return -(1 + zlib.crc32(data) % 100) / 100


def _bag(words: list[str]) -> bytes:
    vector = [0.0] * DIMENSIONS
    for word in words:
        data = word.strip(".,;:!?\"'()").encode("utf-8", "replace")
        vector[zlib.crc32(data) % DIMENSIONS] += 1.0
        vector[zlib.adler32(data) % DIMENSIONS] += 0.5
    length = math.sqrt(sum(value * value for value in vector))
    return struct.pack(f"<{DIMENSIONS}f", *(value / length for value in vector))


def main() -> None:
    arguments = Arguments.parse()
    options = Options.model_validate(arguments.options)
    run(Echo(arguments.context_length, options.delay_ms / 1000), arguments)


if __name__ == "__main__":
    main()
