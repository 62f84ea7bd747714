"""A deterministic embedding endpoint without weights, and a `Knowledge` that stands on it.

A text's vector is the sum of one fixed random direction per word, so texts that share words are
near each other and others are not.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletionChunk

from headstart.knowledge.files import Files
from headstart.knowledge.knowledge import EMBEDDINGS, Knowledge
from headstart.knowledge.stores import VectorStores
from headstart.serving.base import Call, Endpoint
from headstart.serving.requests import ChatRequest, EmbeddingRequest
from headstart.settings import load
from headstart.storage.database import Database
from headstart.storage.jobs import Jobs
from headstart.storage.objects import Objects

DIMENSIONS = 64


@dataclass
class HashEndpoint(Endpoint):
    """Counts what it was asked; `before` may wait or raise."""

    name: str = EMBEDDINGS
    before: Callable[[list[str]], Any] | None = None
    requests: list[list[str]] = field(default_factory=list)

    async def chat(
        self, call: Call, request: ChatRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        nothing: list[ChatCompletionChunk] = []
        for chunk in nothing:
            yield chunk

    async def embed(self, call: Call, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        assert isinstance(request.input, list)
        texts = [str(text) for text in request.input]
        self.requests.append(texts)
        if self.before is not None:
            waiting = self.before(texts)
            if waiting is not None:
                await waiting
        data = [
            _Row("embedding", index, _encoded(vector(text))) for index, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        return CreateEmbeddingResponse.construct(
            object="list", model=self.name, data=data, usage=usage
        )

    @property
    def context_length(self) -> int:
        return 256


@dataclass
class _Row:
    object: str
    index: int
    embedding: str


def vector(text: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    words = re.findall(r"\w+", text.lower())
    total = np.sum([_direction(word) for word in words] or [_direction("")], axis=0)
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


@cache
def _direction(word: str) -> Any:
    seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(DIMENSIONS)


def _encoded(values: np.ndarray[Any, np.dtype[np.float32]]) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


@dataclass
class Stack:
    """A knowledge layer with its parts, as the server puts it together."""

    knowledge: Knowledge
    files: Files
    stores: VectorStores
    jobs: Jobs
    objects: Objects
    database: Database
    endpoint: HashEndpoint


@asynccontextmanager
async def running_stack(home: Path, endpoint: HashEndpoint | None = None) -> AsyncIterator[Stack]:
    """The layer on `home`, its jobs running, until the block ends."""
    settings = load(home=home)
    database = Database(settings.sql_url)
    database.migrate()
    objects = Objects(settings.objects)
    files = Files(database, objects, settings.max_upload_bytes)
    stores = VectorStores(database)
    jobs = Jobs.beside(home, settings.database_url)
    endpoint = endpoint or HashEndpoint()
    deployed = {endpoint.name: endpoint}
    knowledge = Knowledge(files, stores, jobs, deployed.get, settings)
    await jobs.start()
    try:
        yield Stack(knowledge, files, stores, jobs, objects, database, endpoint)
    finally:
        await jobs.stop()
        database.close()
