"""Embeddings of passages and queries, through an endpoint that serves an embedding model.

Passages of files that are ingested at the same time travel together in one request; a query goes
by itself and never waits for them. Vectors are float32 and of length 1.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from openai.types import CreateEmbeddingResponse
from tokenizers import Tokenizer

from headstart.errors import BadRequest, Unavailable
from headstart.knowledge.tokens import TokenCounter
from headstart.security.principal import Principal, Role
from headstart.serving.base import Call, Endpoint
from headstart.serving.requests import EmbeddingRequest
from headstart.serving.worker_endpoint import WorkerEndpoint

Vectors = NDArray[np.float32]
Result = TypeVar("Result")
_Waiting = tuple[str, "asyncio.Future[Vectors]"]

KNOWLEDGE = Principal(key_id="knowledge", name="knowledge", role=Role.ADMIN)
PASSAGE_TOKENS = 256  # what small embedders were trained on, and a citation that is quickly read
_BATCH = 16  # passages per request: large enough for the engine, short enough for queries between
_BYTES_PER_TOKEN = 3.0  # where the tokenizer is not here: English has 4 to 5, German 3 to 4
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0  # seconds between tries


class Embedder:
    """Makes vectors with one endpoint. `counter` counts the model's tokens."""

    def __init__(
        self, endpoint: Endpoint, counter: TokenCounter | None = None, patience: float = 0.0
    ) -> None:
        self._endpoint = endpoint
        self.counter = counter or TokenCounter(_estimated_tokens)
        self._patience = patience
        self._waiting: deque[_Waiting] = deque()
        self._sender: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return self._endpoint.name

    @property
    def max_tokens(self) -> int:
        """Tokens that the model takes in."""
        return self._endpoint.context_length

    @property
    def passage_tokens(self) -> int:
        """Tokens that a passage gets, unless someone wants another number."""
        return min(PASSAGE_TOKENS, self.max_tokens)

    def fitted(self, text: str) -> str:
        """As much of the beginning of `text` as the model takes in."""
        limit = self.max_tokens
        text = text[: limit * 16]
        while (tokens := self.counter.counts([text])[0]) > limit:
            text = text[: int(len(text) * limit / tokens * 0.95)]
        return text

    async def embed_query(self, text: str) -> Vectors:
        """The vector of a query of any length."""
        return cast(Vectors, (await self._request([self.fitted(text)]))[0])

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One row per text. Texts of concurrent calls share requests."""
        loop = asyncio.get_running_loop()
        waiting = [(text, loop.create_future()) for text in texts]
        self._waiting.extend(waiting)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_waiting())
        return np.stack(await asyncio.gather(*(vector for _, vector in waiting)))

    async def _send_waiting(self) -> None:
        try:
            while self._waiting:
                size = min(_BATCH, len(self._waiting))
                batch = [self._waiting.popleft() for _ in range(size)]
                await self._send([each for each in batch if not each[1].done()])
        finally:
            self._sender = None

    async def _send(self, batch: list[_Waiting]) -> None:
        if not batch:
            return
        try:
            texts = [text for text, _ in batch]
            vectors = await _patiently(lambda: self._request(texts), self._patience)
        except BadRequest as error:
            if len(batch) > 1:  # one text is at fault; the others need not share its fate
                for each in batch:
                    await self._send([each])
            else:
                _fail(batch, error)
        except Exception as error:
            _fail(batch, error)
        else:
            for (_, result), vector in zip(batch, vectors, strict=True):
                if not result.done():
                    result.set_result(vector)

    async def _request(self, texts: list[str]) -> Vectors:
        request = EmbeddingRequest.model_validate(
            {"model": self._endpoint.name, "input": texts, "encoding_format": "base64"}
        )
        call = Call(id=f"embd-{secrets.token_hex(12)}", principal=KNOWLEDGE)
        return _vectors(await self._endpoint.embed(call, request))


class Embedders:
    """The embedders of this server, by the name of their endpoint."""

    def __init__(self, resolve: Callable[[str], Endpoint | None], patience: float = 900.0) -> None:
        self._resolve = resolve
        self._patience = patience  # seconds that an ingestion waits for a model
        self._made: dict[str, tuple[Endpoint, Embedder]] = {}

    async def get(self, name: str) -> Embedder:
        """The embedder of that endpoint; `Unavailable` while there is none or it has no model."""
        endpoint = self._resolve(name)
        if endpoint is None:
            raise Unavailable(
                f"No endpoint '{name}' is deployed, which this knowledge has its embeddings from. "
                f"'headstart deploy all-minilm-l6-v2 --name {name}' brings one up."
            )
        made = self._made.get(name)
        if made is None or made[0] is not endpoint:
            endpoint.context_length  # noqa: B018 (raises until the model is here)
            counter = await asyncio.to_thread(_counter, endpoint)
            made = endpoint, Embedder(endpoint, counter, self._patience)
            self._made[name] = made
        return made[1]

    async def wait_for(self, name: str) -> Embedder:
        """The embedder, once its model is here."""
        return await _patiently(lambda: self.get(name), self._patience)


async def _patiently(attempt: Callable[[], Awaitable[Result]], patience: float) -> Result:
    """Wait for a model that is being fetched or started, for so many seconds."""
    give_up, pause = time.monotonic() + patience, _FIRST_WAIT
    while True:
        try:
            return await attempt()
        except Unavailable:
            if time.monotonic() + pause > give_up:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_WAIT)


def _counter(endpoint: Endpoint) -> TokenCounter | None:
    """Counts as the endpoint's model does, where its tokenizer is here."""
    if not isinstance(endpoint, WorkerEndpoint) or endpoint.model is None:
        return None
    path = endpoint.model.path / "tokenizer.json"
    return TokenCounter(Tokenizer.from_file(str(path))) if path.is_file() else None


def _estimated_tokens(text: str) -> int:
    return 2 + round(len(text.encode()) / _BYTES_PER_TOKEN)


def _vectors(answer: CreateEmbeddingResponse) -> Vectors:
    rows = [_vector(each.embedding) for each in sorted(answer.data, key=lambda one: one.index)]
    vectors = np.stack(rows).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return cast(Vectors, vectors / np.maximum(lengths, 1e-12))


def _vector(embedding: list[float] | str) -> Vectors:
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding), dtype="<f4")
    return np.asarray(embedding, dtype=np.float32)


def _fail(batch: list[_Waiting], error: Exception) -> None:
    for _, result in batch:
        if not result.done():
            result.set_exception(error)
