"""The bodies of `/v1/vector_stores`: OpenAI's, with what we add."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from openai.types import VectorStore, VectorStoreSearchResponse
from openai.types.vector_stores import VectorStoreFile
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from headstart.errors import NotFound
from headstart.knowledge.embedding import PASSAGE_TOKENS
from headstart.knowledge.filters import Filter
from headstart.knowledge.knowledge import PassageInContext
from headstart.knowledge.passages import Passage
from headstart.knowledge.stores import STATUSES, Member, Membership
from headstart.storage.jobs import JobStatus
from headstart.storage.paging import Page
from headstart.storage.tables import VectorStoreRow

_Key = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Text = Annotated[str, StringConstraints(max_length=512)]
Metadata = Annotated[dict[_Key, _Text], Field(max_length=16)]
Attributes = Annotated[dict[_Key, bool | float | _Text], Field(max_length=16)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StaticChunking(_Body):
    max_chunk_size_tokens: int = Field(ge=100, le=4096)
    chunk_overlap_tokens: int = Field(ge=0)

    @model_validator(mode="after")
    def _overlap_fits(self) -> StaticChunking:
        if self.chunk_overlap_tokens > self.max_chunk_size_tokens // 2:
            raise ValueError("chunk_overlap_tokens is more than half of max_chunk_size_tokens")
        return self


class ChunkingStrategy(_Body):
    type: Literal["auto", "static"]
    static: StaticChunking | None = None

    @model_validator(mode="after")
    def _static_is_given(self) -> ChunkingStrategy:
        if (self.type == "static") != (self.static is not None):
            raise ValueError("'static' belongs to the type 'static', and only to that")
        return self

    def stored(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True) if self.static else {}


class StoreCreate(_Body):
    name: str | None = Field(None, max_length=256)
    file_ids: list[str] = Field([], max_length=500)
    chunking_strategy: ChunkingStrategy | None = None
    metadata: Metadata | None = None
    embedding_model: str | None = Field(None, description="Endpoint that makes the embeddings.")


class StoreUpdate(_Body):
    name: str | None = Field(None, max_length=256)
    metadata: Metadata | None = None


class StoreFileCreate(_Body):
    file_id: str
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


class StoreFileUpdate(_Body):
    attributes: Attributes | None


class FileBatchCreate(_Body):
    file_ids: list[str] | None = Field(None, min_length=1, max_length=2000)
    files: list[StoreFileCreate] | None = Field(None, min_length=1, max_length=2000)
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> FileBatchCreate:
        if (self.file_ids is None) == (self.files is None):
            raise ValueError("give either 'file_ids' or 'files'")
        return self


class RankingOptions(_Body):
    ranker: Literal["auto", "none"] | None = None
    score_threshold: float = Field(0.0, ge=0, le=1)


class SearchRequest(_Body):
    query: str | Annotated[list[str], Field(min_length=1, max_length=16)]
    filters: Filter | None = None
    max_num_results: int = Field(10, ge=1, le=50)
    ranking_options: RankingOptions | None = None
    rewrite_query: Literal[False] | None = None


class SyncRequest(_Body):
    paths: list[str] | None = Field(
        None, min_length=1, description="Folders and files on the server; default: as before."
    )


class KnowledgeStore(VectorStore):
    """OpenAI's vector store, with where it comes from."""

    paths: list[str]
    embedding_model: str


class FileError(BaseModel):
    code: str
    message: str


class StoreFileDetails(BaseModel):
    chunks: int


class StoreFile(VectorStoreFile):
    """OpenAI's vector store file, with its name and our own words for what went wrong."""

    filename: str
    path: str | None
    error: FileError | None
    headstart: StoreFileDetails


class StoreList(BaseModel):
    object: Literal["list"] = "list"
    data: list[KnowledgeStore]
    first_id: str | None
    last_id: str | None
    has_more: bool


class StoreFileList(BaseModel):
    object: Literal["list"] = "list"
    data: list[StoreFile]
    first_id: str | None
    last_id: str | None
    has_more: bool


class SearchHit(VectorStoreSearchResponse):
    """OpenAI's search result, with what a citation needs."""

    chunk_id: str
    similarity: float
    page: int | None
    start: int
    end: int
    headings: list[str]


class SearchPage(BaseModel):
    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: list[str]
    data: list[SearchHit]
    has_more: bool = False
    next_page: None = None


class TextPart(BaseModel):
    type: Literal["text"] = "text"
    text: str


class FileContentPage(BaseModel):
    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    data: list[TextPart]
    has_more: bool = False
    next_page: None = None


class PassageObject(BaseModel):
    """A passage with the text of its document around it."""

    object: Literal["passage"] = "passage"
    id: str
    store_id: str
    file_id: str
    filename: str
    text: str
    before: str
    after: str
    page: int | None
    headings: list[str]
    start: int
    end: int


class SyncProgress(BaseModel):
    done: int
    total: int | None


class SyncProblem(BaseModel):
    path: str
    code: str
    reason: str


class SyncOutcome(BaseModel):
    """What a sync did, in numbers of files; `skipped` are of kinds that cannot be read."""

    added: int
    updated: int
    unchanged: int
    removed: int
    failed: list[SyncProblem]
    skipped: list[SyncProblem]


class StoreSync(BaseModel):
    """A sync of a vector store with its paths."""

    id: str
    object: Literal["vector_store.sync"] = "vector_store.sync"
    vector_store_id: str
    status: Literal["queued", "in_progress", "completed", "failed", "cancelled"]
    progress: SyncProgress | None
    report: SyncOutcome | None
    error: str | None


def store_object(row: VectorStoreRow, counts: dict[str, int]) -> KnowledgeStore:
    return KnowledgeStore.model_validate(
        {
            "id": row.id,
            "object": "vector_store",
            "name": row.name,
            "created_at": row.created_at,
            "last_active_at": row.last_active_at,
            "status": "in_progress" if counts["in_progress"] else "completed",
            "file_counts": {name: counts[name] for name in (*STATUSES, "total")},
            "usage_bytes": counts["usage_bytes"],
            "metadata": row.attributes,
            "paths": row.paths,
            "embedding_model": row.embedding_model,
        }
    )


def store_file(member: Member) -> StoreFile:
    row, error = member.row, None
    if row.status == "failed":
        error = {"code": row.error_code or "server_error", "message": row.error or ""}
    static = {"max_chunk_size_tokens": PASSAGE_TOKENS, "chunk_overlap_tokens": 0}
    return StoreFile.model_validate(
        {
            "id": row.file_id,
            "object": "vector_store.file",
            "vector_store_id": row.store_id,
            "created_at": row.created_at,
            "status": row.status,
            "usage_bytes": row.usage_bytes,
            "attributes": row.attributes,
            "chunking_strategy": row.chunking or {"type": "static", "static": static},
            "last_error": error and {**error, "code": _openai_code(error["code"])},
            "filename": member.file.filename,
            "path": row.path,
            "error": error,
            "headstart": {"chunks": row.chunks},
        }
    )


def store_file_list(page: Page[Member]) -> StoreFileList:
    ids = [member.file.id for member in page.data]
    return StoreFileList(
        data=[store_file(member) for member in page.data],
        first_id=ids[0] if ids else None,
        last_id=ids[-1] if ids else None,
        has_more=page.has_more,
    )


def membership(wanted: StoreFileCreate) -> Membership:
    chunking = wanted.chunking_strategy.stored() if wanted.chunking_strategy else {}
    return Membership(wanted.file_id, wanted.attributes or {}, chunking)


def sync_object(store_id: str, job: JobStatus) -> StoreSync:
    if job.arguments.get("store_id") != store_id:
        raise NotFound(f"No sync '{job.id}' of vector store '{store_id}'.")
    progress = None if job.done is None else SyncProgress(done=job.done, total=job.total)
    return StoreSync(
        id=job.id,
        vector_store_id=store_id,
        status=job.state,
        progress=progress,
        report=None if job.result is None else SyncOutcome.model_validate(job.result),
        error=job.error,
    )


def search_hit(passage: Passage) -> SearchHit:
    return SearchHit.model_validate(
        {
            "file_id": passage.file_id,
            "filename": passage.filename,
            "score": passage.score,
            "attributes": passage.attributes,
            "content": [{"type": "text", "text": passage.text}],
            "chunk_id": passage.id,
            "similarity": passage.similarity,
            "page": passage.page,
            "start": passage.start,
            "end": passage.end,
            "headings": list(passage.headings),
        }
    )


def passage_object(found: PassageInContext) -> PassageObject:
    passage = found.passage
    return PassageObject(
        id=passage.id,
        store_id=passage.store_id,
        file_id=passage.file_id,
        filename=passage.filename,
        text=passage.text,
        before=found.before,
        after=found.after,
        page=passage.page,
        headings=list(passage.headings),
        start=passage.start,
        end=passage.end,
    )


def _openai_code(code: str) -> str:
    if code == "unsupported":
        return "unsupported_file"
    server = ("server_error", "service_unavailable_error", "storage_full")
    return "server_error" if code in server else "invalid_file"
