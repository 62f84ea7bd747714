"""Ingestion: files of a vector store are read, cut into chunks, embedded and indexed.

A durable job per call, which may name many files. What is done already is found again in the
stores and the index, so a job that was killed anywhere runs again and leaves nothing twice: a file
is finished when its row says so, and a chunk is in the index once, whoever writes it again.

Several files are on their way at a time, so that one is converted (in processes of the loaders'
own) while another is embedded (in the embedding worker).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import structlog

from headstart.errors import BadRequest, HeadstartError
from headstart.knowledge.chunking import chunk, embedding_text
from headstart.knowledge.embedding import Embedder, Embedders
from headstart.knowledge.files import Files
from headstart.knowledge.index import Index, Indexes
from headstart.knowledge.loaders import load
from headstart.knowledge.passages import Chunk, Document
from headstart.knowledge.rows import Entry
from headstart.knowledge.stores import Member, VectorStores
from headstart.storage.jobs import Job, Jobs
from headstart.storage.tables import FileRow, VectorStoreRow

log = structlog.get_logger(__name__)

KIND = "ingestion"
IN_FLIGHT = 24  # files on their way, of all jobs; each job has at most so many in line
_GROUP = 64  # chunks that are embedded and written together


class Ingestion:
    """Brings files into indexes."""

    def __init__(
        self,
        stores: VectorStores,
        files: Files,
        indexes: Indexes,
        embedders: Embedders,
        jobs: Jobs,
        loader: Callable[[Path, str], Document] = load,
    ) -> None:
        self._stores = stores
        self._files = files
        self._indexes = indexes
        self._embedders = embedders
        self._jobs = jobs
        self._load = loader
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._busy: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        jobs.register(KIND, self._job)

    async def submit(
        self, store_id: str, file_ids: Sequence[str], job_id: str | None = None
    ) -> str:
        """Start a job for members of the store that await their ingestion; returns its id."""
        arguments = {"store_id": store_id, "file_ids": list(file_ids)}
        return await self._jobs.submit(KIND, arguments, job_id)

    async def cancel(self, job_id: str) -> None:
        """Stop a job. Files that were not finished become "cancelled" and leave the index."""
        status = await self._jobs.cancel(job_id)
        store_id, file_ids = status.arguments["store_id"], status.arguments["file_ids"]
        states = await asyncio.to_thread(self._stores.statuses, store_id, file_ids)
        unfinished = [each for each, state in states.items() if state == "in_progress"]
        for file_id in unfinished:
            await self._indexes.of(store_id).delete_file(file_id)
        await asyncio.to_thread(self._stores.change, store_id, unfinished, status="cancelled")

    async def remove(self, store_id: str, file_id: str) -> None:
        """Take a file out of the store and its index. What a sync brought goes altogether."""
        member = await asyncio.to_thread(self._stores.member, store_id, file_id)
        await asyncio.to_thread(self._stores.detach, store_id, file_id)
        await self._indexes.of(store_id).delete_file(file_id)
        if member.row.path is not None and not await asyncio.to_thread(
            self._stores.stores_of, file_id
        ):
            await asyncio.to_thread(self._files.delete, file_id)

    async def _job(self, job: Job) -> None:
        store_id, file_ids = job.arguments["store_id"], job.arguments["file_ids"]
        states = await asyncio.to_thread(self._stores.statuses, store_id, file_ids)
        waiting = [file_id for file_id, state in states.items() if state == "in_progress"]
        job.report(len(states) - len(waiting), len(states))

        async def each() -> AsyncIterator[str]:
            for file_id in waiting:
                yield file_id

        await self.ingest(store_id, each(), lambda: job.report(job.done + 1, job.total))

    async def ingest(
        self, store_id: str, file_ids: AsyncIterator[str], finished: Callable[[], None]
    ) -> None:
        """Bring in members of the store, some at a time, as `file_ids` gives them."""
        store = await asyncio.to_thread(self._stores.get, store_id)
        queue: asyncio.Queue[str | None] = asyncio.Queue(2 * IN_FLIGHT)

        async def feed() -> None:
            async for file_id in file_ids:
                await queue.put(file_id)
            for _ in range(IN_FLIGHT):
                await queue.put(None)

        async def work() -> None:
            while (file_id := await queue.get()) is not None:
                async with self._slots:
                    await self._ingest_file(store, file_id)
                finished()

        async with asyncio.TaskGroup() as group:
            group.create_task(feed())
            for _ in range(IN_FLIGHT):
                group.create_task(work())
        await self._indexes.of(store_id).settle()

    async def _ingest_file(self, store: VectorStoreRow, file_id: str) -> None:
        lock = self._busy.setdefault((store.id, file_id), asyncio.Lock())
        async with lock:  # a file may be named by two jobs
            await self._ingest_alone(store, file_id)

    async def _ingest_alone(self, store: VectorStoreRow, file_id: str) -> None:
        try:
            member = await asyncio.to_thread(self._stores.member, store.id, file_id)
            if member.row.status != "in_progress":
                return
            chunks = await self._index_file(store, member)
        except HeadstartError as error:
            await self._failed(store.id, file_id, error.code or error.type, error.message)
        except Exception as error:
            log.exception("ingestion failed", store=store.id, file=file_id)
            message = f"The server failed on this file ({type(error).__name__}); see its log."
            await self._failed(store.id, file_id, "server_error", message)
        else:
            usage = sum(len(each.text.encode()) for each in chunks)
            columns = {"status": "completed", "chunks": len(chunks), "usage_bytes": usage}
            if not await self._change(store.id, file_id, **columns):
                await self._indexes.of(store.id).delete_file(file_id)  # removed in the meantime

    async def _index_file(self, store: VectorStoreRow, member: Member) -> list[Chunk]:
        document = await asyncio.to_thread(self._read, member.file)
        embedder = await self._embedders.wait_for(store.embedding_model)
        chunks = await asyncio.to_thread(_chunks, document, member.row.chunking, embedder)
        index = self._indexes.of(store.id)
        keyed = {chunk_id(member.file, each): each for each in chunks}
        present: set[str] = set()
        if member.row.chunks:  # some of it may be in, from before
            present = await index.ids(member.file.id)
        elif len(keyed) > _GROUP:  # more than one write: leave a mark, should this one be cut off
            await self._change(store.id, member.file.id, chunks=len(keyed))
        missing = [(key, each) for key, each in keyed.items() if key not in present]
        for start in range(0, len(missing), _GROUP):
            await _index_chunks(index, embedder, member, dict(missing[start : start + _GROUP]))
        if present - keyed.keys():
            await index.delete_file(member.file.id, keep=set(keyed))
        return chunks

    def _read(self, file: FileRow) -> Document:
        with self._files.path(file.id) as path:
            document = self._load(path, file.filename)
        self._files.keep_document(file.id, document)
        return document

    async def _failed(self, store_id: str, file_id: str, code: str, error: str) -> None:
        await self._indexes.of(store_id).delete_file(file_id)
        columns = {"status": "failed", "error_code": code, "error": error, "chunks": 0}
        await self._change(store_id, file_id, **columns)

    async def _change(self, store_id: str, file_id: str, **columns: Any) -> int:
        return await asyncio.to_thread(self._stores.change, store_id, [file_id], **columns)


async def _index_chunks(
    index: Index, embedder: Embedder, member: Member, chunks: dict[str, Chunk]
) -> None:
    texts = [embedding_text(each) for each in chunks.values()]
    vectors = await embedder.embed(texts)
    await index.upsert(
        [
            Entry(
                id=key,
                file_id=member.file.id,
                filename=member.file.filename,
                chunk=each,
                searchable=text,
                vector=vector,
                attributes=member.row.attributes,
            )
            for (key, each), text, vector in zip(chunks.items(), texts, vectors, strict=True)
        ]
    )


def _chunks(document: Document, chunking: dict[str, Any], embedder: Embedder) -> list[Chunk]:
    """The document's chunks by OpenAI's chunking strategy, of which "auto" is the default."""
    static = chunking.get("static", {})
    size = static.get("max_chunk_size_tokens", embedder.passage_tokens)
    if size > embedder.max_tokens:
        raise BadRequest(
            f"max_chunk_size_tokens is {size}, but the embedding model '{embedder.name}' takes in "
            f"{embedder.max_tokens} tokens. Ask for less, or for none.",
            param="chunking_strategy",
            code="chunk_too_large",
        )
    overlap = static.get("chunk_overlap_tokens", 0)
    return chunk(document, count=embedder.counter, max_tokens=size, overlap=overlap)


def chunk_id(file: FileRow, chunk: Chunk) -> str:
    """The same for the same span of the same bytes, in whatever store and at whatever time."""
    identity = f"{file.sha256}:{chunk.start}:{chunk.end}"
    return f"chunk_{hashlib.sha256(identity.encode()).hexdigest()[:24]}"
