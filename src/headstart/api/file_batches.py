"""`/v1/vector_stores/{id}/file_batches`: many files at once. A batch is one ingestion job."""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from openai.types.vector_stores import VectorStoreFileBatch

from headstart.api.deps import AdminPrincipal, CurrentPrincipal, CurrentServices
from headstart.api.services import Services
from headstart.api.vector_store_types import (
    FileBatchCreate,
    StoreFileCreate,
    StoreFileList,
    membership,
    store_file_list,
)
from headstart.errors import NotFound
from headstart.knowledge.stores import STATUSES
from headstart.storage.jobs import JobStatus
from headstart.storage.paging import Order

router = APIRouter(tags=["vector stores"])

_PREFIX = "vsfb_"


@router.post("/v1/vector_stores/{store_id}/file_batches")
async def create_file_batch(
    store_id: str, body: FileBatchCreate, _principal: AdminPrincipal, services: CurrentServices
) -> VectorStoreFileBatch:
    """Make files members of the store, and start their ingestion."""
    files = body.files or [
        StoreFileCreate(
            file_id=file_id,
            attributes=body.attributes,
            chunking_strategy=body.chunking_strategy,
        )
        for file_id in dict.fromkeys(body.file_ids or [])
    ]
    batch_id = f"{_PREFIX}{secrets.token_hex(12)}"
    await services.knowledge.attach(store_id, [membership(each) for each in files], batch_id)
    return await _batch(services, store_id, batch_id)


@router.get("/v1/vector_stores/{store_id}/file_batches/{batch_id}")
async def get_file_batch(
    store_id: str, batch_id: str, _principal: CurrentPrincipal, services: CurrentServices
) -> VectorStoreFileBatch:
    return await _batch(services, store_id, batch_id)


@router.post("/v1/vector_stores/{store_id}/file_batches/{batch_id}/cancel")
async def cancel_file_batch(
    store_id: str, batch_id: str, _principal: AdminPrincipal, services: CurrentServices
) -> VectorStoreFileBatch:
    """Stop the ingestion; files that are in already stay in."""
    await _job(services, store_id, batch_id)
    await services.knowledge.ingestion.cancel(batch_id)
    return await _batch(services, store_id, batch_id)


@router.get("/v1/vector_stores/{store_id}/file_batches/{batch_id}/files")
async def list_file_batch_files(
    store_id: str,
    batch_id: str,
    _principal: CurrentPrincipal,
    services: CurrentServices,
    filter: Literal["in_progress", "completed", "failed", "cancelled"] | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Order = "desc",
    after: str | None = None,
    before: str | None = None,
) -> StoreFileList:
    """The batch's files that are members of the store still."""
    job = await _job(services, store_id, batch_id)
    page = await asyncio.to_thread(
        services.stores.members,
        store_id,
        status=filter,
        file_ids=job.arguments["file_ids"],
        after=after,
        before=before,
        limit=limit,
        order=order,
    )
    return store_file_list(page)


async def _batch(services: Services, store_id: str, batch_id: str) -> VectorStoreFileBatch:
    job = await _job(services, store_id, batch_id)
    files = job.arguments["file_ids"]
    found = await asyncio.to_thread(services.stores.statuses, store_id, files)
    statuses = list(found.values())
    counts = {status: statuses.count(status) for status in STATUSES}
    return VectorStoreFileBatch.model_validate(
        {
            "id": job.id,
            "object": "vector_store.files_batch",
            "vector_store_id": store_id,
            "created_at": job.created_at,
            "status": "in_progress" if job.state == "queued" else job.state,
            "file_counts": {**counts, "total": len(statuses)},
        }
    )


async def _job(services: Services, store_id: str, batch_id: str) -> JobStatus:
    problem = f"No file batch '{batch_id}' in vector store '{store_id}'."
    if not batch_id.startswith(_PREFIX):
        raise NotFound(problem, param="batch_id")
    job = await services.knowledge.job(batch_id)
    if job.arguments["store_id"] != store_id:
        raise NotFound(problem, param="batch_id")
    return job
