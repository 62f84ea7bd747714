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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

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
from headstart.storage.tables import FileRow

log = structlog.get_logger(__name__)

KIND = "ingestion"
IN_FLIGHT = 8  # files on their way, of all jobs; each job has at most so many in the queue
_GROUP = 64  # chunks that are embedded and written together

Report = Callable[[int, int], None]


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
        await self.ingest(job.arguments["store_id"], job.arguments["file_ids"], job.report)

    async def ingest(self, store_id: str, file_ids: Sequence[str], report: Report) -> None:
        """Bring in those of the files that are still members and still unfinished."""
        states = await asyncio.to_thread(self._stores.statuses, store_id, file_ids)
        waiting = [file_id for file_id, state in states.items() if state == "in_progress"]
        done = len(states) - len(waiting)
        report(done, len(states))
        if not waiting:
            return

        left = iter(waiting)

        async def work() -> None:
            nonlocal done
            for file_id in left:
                async with self._slots:
                    await self._ingest_file(store_id, file_id)
                done += 1
                report(done, len(states))

        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(work())
        await self._indexes.of(store_id).optimize()

    async def _ingest_file(self, store_id: str, file_id: str) -> None:
        try:
            member = await asyncio.to_thread(self._stores.member, store_id, file_id)
            chunks = await self._index_file(store_id, member)
        except HeadstartError as error:
            await self._failed(store_id, file_id, error.code or error.type, error.message)
        except Exception as error:
            log.exception("ingestion failed", store=store_id, file=file_id)
            message = f"The server failed on this file ({type(error).__name__}); see its log."
            await self._failed(store_id, file_id, "server_error", message)
        else:
            usage = sum(len(each.text.encode()) for each in chunks)
            columns = {"status": "completed", "chunks": len(chunks), "usage_bytes": usage}
            changed = await asyncio.to_thread(self._stores.change, store_id, [file_id], **columns)
            if not changed:  # removed from the store while it went in
                await self._indexes.of(store_id).delete_file(file_id)

    async def _index_file(self, store_id: str, member: Member) -> list[Chunk]:
        document = await asyncio.to_thread(self._read, member.file)
        store = await asyncio.to_thread(self._stores.get, store_id)
        embedder = await self._embedders.wait_for(store.embedding_model)
        chunks = await asyncio.to_thread(_chunks, document, member.row.chunking, embedder)
        index = self._indexes.of(store_id)
        keyed = {chunk_id(member.file, each): each for each in chunks}
        present = await index.ids(member.file.id)
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
        columns = {"status": "failed", "error_code": code, "error": error}
        await asyncio.to_thread(self._stores.change, store_id, [file_id], **columns)


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
