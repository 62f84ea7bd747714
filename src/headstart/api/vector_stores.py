"""`/v1/vector_stores`: knowledge, as OpenAI's vector stores, with passages and syncs of ours."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from openai.types import VectorStoreDeleted
from openai.types.vector_stores import VectorStoreFileDeleted

from headstart.api.deps import AdminPrincipal, CurrentPrincipal, CurrentServices
from headstart.api.services import Services
from headstart.api.vector_store_types import (
    FileContentPage,
    KnowledgeStore,
    PassageObject,
    SearchPage,
    SearchRequest,
    StoreCreate,
    StoreFile,
    StoreFileCreate,
    StoreFileList,
    StoreFileUpdate,
    StoreList,
    StoreSync,
    StoreUpdate,
    SyncRequest,
    TextPart,
    membership,
    passage_object,
    search_hit,
    store_file,
    store_file_list,
    store_object,
    sync_object,
)
from headstart.knowledge.knowledge import EMBEDDINGS
from headstart.knowledge.passages import Passage
from headstart.storage.paging import Order

router = APIRouter(tags=["vector stores"])

Limit = Annotated[int, Query(ge=1, le=100)]
Status = Literal["in_progress", "completed", "failed", "cancelled"]


@router.post("/v1/vector_stores")
async def create_vector_store(
    body: StoreCreate, _principal: AdminPrincipal, services: CurrentServices
) -> KnowledgeStore:
    """Create a store, and start the ingestion of `file_ids`."""
    model = body.embedding_model or EMBEDDINGS
    for file_id in body.file_ids:
        await asyncio.to_thread(services.files.get, file_id)
    row = await asyncio.to_thread(
        services.stores.create, body.name or "", model, metadata=body.metadata
    )
    if body.file_ids:
        wanted = [
            StoreFileCreate(file_id=each, chunking_strategy=body.chunking_strategy)
            for each in dict.fromkeys(body.file_ids)
        ]
        await services.knowledge.attach(row.id, [membership(each) for each in wanted])
    return await asyncio.to_thread(_store, services, row.id)


@router.get("/v1/vector_stores")
def list_vector_stores(
    _principal: CurrentPrincipal,
    services: CurrentServices,
    limit: Limit = 20,
    order: Order = "desc",
    after: str | None = None,
    before: str | None = None,
) -> StoreList:
    """Stores, newest first."""
    page = services.stores.list(after=after, before=before, limit=limit, order=order)
    counts = services.stores.counts(row.id for row in page.data)
    ids = [row.id for row in page.data]
    return StoreList(
        data=[store_object(row, counts[row.id]) for row in page.data],
        first_id=ids[0] if ids else None,
        last_id=ids[-1] if ids else None,
        has_more=page.has_more,
    )


@router.get("/v1/vector_stores/{store_id}")
def get_vector_store(
    store_id: str, _principal: CurrentPrincipal, services: CurrentServices
) -> KnowledgeStore:
    return _store(services, store_id)


@router.post("/v1/vector_stores/{store_id}")
def update_vector_store(
    store_id: str, body: StoreUpdate, _principal: AdminPrincipal, services: CurrentServices
) -> KnowledgeStore:
    """Rename the store, or replace its metadata."""
    changes = {"name": body.name, "attributes": body.metadata}
    given = {column: value for column, value in changes.items() if value is not None}
    services.stores.update(store_id, **given)
    return _store(services, store_id)


@router.delete("/v1/vector_stores/{store_id}")
async def delete_vector_store(
    store_id: str, _principal: AdminPrincipal, services: CurrentServices
) -> VectorStoreDeleted:
    """Delete a store with its index. Uploaded files stay."""
    await services.knowledge.delete_store(store_id)
    return VectorStoreDeleted(id=store_id, deleted=True, object="vector_store.deleted")


# --- search and passages ----------------------------------------------------------------------


@router.post("/v1/vector_stores/{store_id}/search")
async def search_vector_store(
    store_id: str, body: SearchRequest, _principal: CurrentPrincipal, services: CurrentServices
) -> SearchPage:
    """Passages that answer the query, best first; of several queries, the best of all."""
    queries = [body.query] if isinstance(body.query, str) else body.query
    best: dict[str, Passage] = {}
    for query in queries:
        found = await services.knowledge.search(
            [store_id],
            query,
            limit=body.max_num_results,
            filters=body.filters,
            threshold=body.ranking_options.score_threshold if body.ranking_options else 0.0,
        )
        for passage in found:
            if passage.id not in best or passage.score > best[passage.id].score:
                best[passage.id] = passage
    ranked = sorted(best.values(), key=lambda passage: passage.score, reverse=True)
    hits = [search_hit(passage) for passage in ranked[: body.max_num_results]]
    return SearchPage(search_query=queries, data=hits)


@router.get("/v1/vector_stores/{store_id}/chunks/{chunk_id}")
async def get_passage(
    store_id: str, chunk_id: str, _principal: CurrentPrincipal, services: CurrentServices
) -> PassageObject:
    """The passage of a citation, in its context."""
    return passage_object(await services.knowledge.passage(store_id, chunk_id))


# --- syncs ------------------------------------------------------------------------------------


@router.post("/v1/vector_stores/{store_id}/sync")
async def sync_vector_store(
    store_id: str, body: SyncRequest, _principal: AdminPrincipal, services: CurrentServices
) -> StoreSync:
    """Start to follow folders and files on the server's disk; only what changed is touched."""
    job_id = await services.knowledge.start_sync(store_id, body.paths)
    return sync_object(store_id, await services.knowledge.job(job_id))


@router.get("/v1/vector_stores/{store_id}/sync/{sync_id}")
async def get_vector_store_sync(
    store_id: str, sync_id: str, _principal: CurrentPrincipal, services: CurrentServices
) -> StoreSync:
    """How far a sync is, and in the end what it did."""
    return sync_object(store_id, await services.knowledge.job(sync_id))


# --- the files of a store ---------------------------------------------------------------------


@router.post("/v1/vector_stores/{store_id}/files")
async def create_vector_store_file(
    store_id: str, body: StoreFileCreate, _principal: AdminPrincipal, services: CurrentServices
) -> StoreFile:
    """Make a file a member of the store, and start its ingestion."""
    await services.knowledge.attach(store_id, [membership(body)])
    return await asyncio.to_thread(_file, services, store_id, body.file_id)


@router.get("/v1/vector_stores/{store_id}/files")
def list_vector_store_files(
    store_id: str,
    _principal: CurrentPrincipal,
    services: CurrentServices,
    filter: Status | None = None,
    limit: Limit = 20,
    order: Order = "desc",
    after: str | None = None,
    before: str | None = None,
) -> StoreFileList:
    """Files of the store, newest first."""
    return store_file_list(
        services.stores.members(
            store_id, status=filter, after=after, before=before, limit=limit, order=order
        )
    )


@router.get("/v1/vector_stores/{store_id}/files/{file_id}")
def get_vector_store_file(
    store_id: str, file_id: str, _principal: CurrentPrincipal, services: CurrentServices
) -> StoreFile:
    return _file(services, store_id, file_id)


@router.post("/v1/vector_stores/{store_id}/files/{file_id}")
async def update_vector_store_file(
    store_id: str,
    file_id: str,
    body: StoreFileUpdate,
    _principal: AdminPrincipal,
    services: CurrentServices,
) -> StoreFile:
    """Replace the attributes that filters look at."""
    await asyncio.to_thread(services.stores.member, store_id, file_id)
    await services.knowledge.set_attributes(store_id, file_id, body.attributes or {})
    return await asyncio.to_thread(_file, services, store_id, file_id)


@router.delete("/v1/vector_stores/{store_id}/files/{file_id}")
async def delete_vector_store_file(
    store_id: str, file_id: str, _principal: AdminPrincipal, services: CurrentServices
) -> VectorStoreFileDeleted:
    """Take a file out of the store. An uploaded file itself stays."""
    await services.knowledge.detach(store_id, file_id)
    return VectorStoreFileDeleted(id=file_id, deleted=True, object="vector_store.file.deleted")


@router.get("/v1/vector_stores/{store_id}/files/{file_id}/content")
def get_vector_store_file_content(
    store_id: str, file_id: str, _principal: CurrentPrincipal, services: CurrentServices
) -> FileContentPage:
    """The Markdown that the file was read as."""
    services.stores.member(store_id, file_id)
    return FileContentPage(data=[TextPart(text=services.files.document(file_id).text)])


def _store(services: Services, store_id: str) -> KnowledgeStore:
    return store_object(services.stores.get(store_id), services.stores.counts([store_id])[store_id])


def _file(services: Services, store_id: str, file_id: str) -> StoreFile:
    return store_file(services.stores.member(store_id, file_id))
