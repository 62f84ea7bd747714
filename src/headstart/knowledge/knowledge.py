"""`Knowledge`: what the layers above see of documents, stores and search."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.errors import BadRequest, NotFound
from headstart.knowledge import filters as attribute_filters
from headstart.knowledge.embedding import Embedders
from headstart.knowledge.files import Files
from headstart.knowledge.filters import Filter
from headstart.knowledge.index import Indexes
from headstart.knowledge.ingestion import Ingestion
from headstart.knowledge.passages import Passage
from headstart.knowledge.rows import passage
from headstart.knowledge.scan import check_paths
from headstart.knowledge.search import Query, search
from headstart.knowledge.stores import Membership, VectorStores
from headstart.knowledge.sync import Sync, SyncReport
from headstart.serving.base import Endpoint
from headstart.settings import Settings
from headstart.storage.jobs import Jobs, JobStatus
from headstart.storage.tables import VectorStoreRow

EMBEDDINGS = "embeddings"  # the endpoint of new stores, unless they name another
_CONTEXT_CHARS = 1_200


@dataclass(frozen=True, slots=True)
class PassageInContext:
    """A passage with the text of its document that stands around it."""

    passage: Passage
    before: str
    after: str


class Knowledge:
    """Documents in vector stores, and what can be found in them."""

    def __init__(
        self,
        files: Files,
        stores: VectorStores,
        jobs: Jobs,
        resolve: Callable[[str], Endpoint | None],
        settings: Settings,
    ) -> None:
        self._files = files
        self._stores = stores
        self._jobs = jobs
        self._indexes = Indexes(settings.indexes)
        self._embedders = Embedders(resolve)
        self.ingestion = Ingestion(stores, files, self._indexes, self._embedders, jobs)
        self._sync = Sync(stores, files, self.ingestion, jobs)
        self._naming = asyncio.Lock()

    async def resume(self) -> None:
        """Finish what a crash left between two steps; call it once the jobs have started.

        That is files that joined a store just before their job was written down, and indexes of
        stores that were deleted just before.
        """
        for store_id, file_ids in (await asyncio.to_thread(self._stores.unfinished)).items():
            await self.ingestion.submit(store_id, file_ids)
        present = await asyncio.to_thread(self._indexes.names)
        for store_id in present - await asyncio.to_thread(self._stores.ids):
            await self._indexes.drop(store_id)

    # --- search ---------------------------------------------------------------------------

    async def search(
        self,
        store_ids: Sequence[str],
        query: str,
        *,
        limit: int = 8,
        filters: Filter | dict[str, Any] | None = None,
        threshold: float = 0.0,
    ) -> list[Passage]:
        """The best passages of all the stores, best first. Those below `threshold` are left out."""
        if not query.strip():
            raise BadRequest("query: there is nothing to search for", param="query")
        where = attribute_filters.condition(filters)
        stores = [await asyncio.to_thread(self._stores.get, each) for each in store_ids]
        queries: dict[str, Query] = {}
        found: list[Passage] = []
        for store in stores:
            model = store.embedding_model
            if model not in queries:
                queries[model] = await Query.of(query, await self._embedders.get(model))
            index = self._indexes.of(store.id)
            found += await search(
                index, store.id, queries[model], limit=limit, where=where, threshold=threshold
            )
        return sorted(found, key=lambda each: each.score, reverse=True)[:limit]

    async def passage(self, store_id: str, chunk_id: str) -> PassageInContext:
        """The passage of a citation. `NotFound` once its document has changed or gone."""
        await asyncio.to_thread(self._stores.get, store_id)
        row = await self._indexes.of(store_id).row(chunk_id)
        if row is None:
            raise NotFound(
                f"No passage '{chunk_id}' in vector store '{store_id}'; its document was changed "
                "or removed since.",
                code="passage_not_found",
            )
        document = await asyncio.to_thread(self._files.document, row["file_id"])
        start, end = row["start"], row["end"]
        return PassageInContext(
            passage(row, store_id, 1.0, 1.0),
            before=document.text[max(0, start - _CONTEXT_CHARS) : start],
            after=document.text[end : end + _CONTEXT_CHARS],
        )

    # --- what is in a store ---------------------------------------------------------------

    async def store_ids(self, names: Sequence[str]) -> list[str]:
        """The ids of the stores of these names. `NotFound` for a name that there is not."""
        rows = [(name, await asyncio.to_thread(self._stores.named, name)) for name in names]
        for name, row in rows:
            if row is None:
                raise NotFound(
                    f"No knowledge '{name}'. 'headstart knowledge list' shows what there is.",
                    code="vector_store_not_found",
                )
        return [row.id for _, row in rows if row is not None]

    async def ensure(
        self, name: str, embedding_model: str | None = None
    ) -> tuple[VectorStoreRow, bool]:
        """The store of that name, and whether it had to be made."""
        async with self._naming:
            store = await asyncio.to_thread(self._stores.named, name)
            if store is not None:
                return store, False
            model = embedding_model or EMBEDDINGS
            return await asyncio.to_thread(self._stores.create, name, model), True

    async def sync(
        self, name: str, paths: Sequence[str], embedding_model: str | None = None
    ) -> SyncReport:
        """Make the knowledge of that name be what the paths hold, and wait until it is."""
        await asyncio.to_thread(check_paths, paths)
        store, _ = await self.ensure(name, embedding_model)
        job_id = await self.start_sync(store.id, paths)
        status = await self._jobs.wait(job_id)
        if status.state != "completed":
            raise BadRequest(f"The sync of '{name}' {status.state}: {status.error or 'stopped'}")
        return SyncReport.of(status.result)

    async def start_sync(self, store_id: str, paths: Sequence[str] | None = None) -> str:
        """Start a sync with the paths, or those that the store follows; returns the job's id."""
        if paths is not None:
            absolute = await asyncio.to_thread(check_paths, paths)
            await asyncio.to_thread(self._stores.update, store_id, paths=absolute)
        return await self._sync.submit(store_id)

    async def job(self, job_id: str) -> JobStatus:
        """A sync or an ingestion, by id."""
        return await self._jobs.status(job_id)

    async def attach(
        self, store_id: str, memberships: Sequence[Membership], job_id: str | None = None
    ) -> str:
        """Make files members of the store and start their ingestion; returns the job's id."""
        await asyncio.to_thread(self._stores.attach, store_id, memberships)
        file_ids = [each.file_id for each in memberships]
        return await self.ingestion.submit(store_id, file_ids, job_id)

    async def detach(self, store_id: str, file_id: str) -> None:
        """Take a file out of the store and its index."""
        await self.ingestion.remove(store_id, file_id)

    async def set_attributes(self, store_id: str, file_id: str, attributes: dict[str, Any]) -> None:
        """Replace what filters see of a file."""
        await asyncio.to_thread(self._stores.change, store_id, [file_id], attributes=attributes)
        await self._indexes.of(store_id).set_attributes(file_id, attributes)

    async def delete_file(self, file_id: str) -> None:
        """Remove a file from all stores and from the disk."""
        await asyncio.to_thread(self._files.get, file_id)
        for store_id in await asyncio.to_thread(self._stores.stores_of, file_id):
            await self.ingestion.remove(store_id, file_id)
        await asyncio.to_thread(self._files.delete, file_id)

    async def delete_store(self, store_id: str) -> None:
        """Remove a store with its index, and the files that only its syncs brought."""
        synced = await asyncio.to_thread(self._stores.synced, store_id)
        await asyncio.to_thread(self._stores.delete, store_id)
        await self._indexes.drop(store_id)
        for member in synced:
            if not await asyncio.to_thread(self._stores.stores_of, member.file.id):
                await asyncio.to_thread(self._files.delete, member.file.id)
