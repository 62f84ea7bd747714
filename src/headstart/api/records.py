"""`/v1/records`: every call that was answered, with all that belongs to it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from headstart.api.deps import CurrentPrincipal, CurrentServices
from headstart.api.feedback import Feedback, Metric
from headstart.api.lists import After, Limit, ListOf
from headstart.records import records
from headstart.records.records import RecordFilter
from headstart.storage.paging import Order

router = APIRouter(tags=["records"])

Status = Literal["completed", "cancelled", "failed"]


class RecordPassage(BaseModel):
    """A passage that was put before the model; `cited` when the answer refers to it."""

    model_config = ConfigDict(extra="allow")

    number: int
    store_id: str
    file_id: str
    filename: str
    chunk_id: str
    page: int | None = None
    score: float
    text: str
    cited: bool = False


class Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Record(BaseModel):
    id: str
    object: Literal["record"] = "record"
    kind: Literal["chat", "completion", "embedding"]
    created_at: int
    model: str
    endpoint: str | None
    app: str | None
    key_id: str | None
    conversation_id: str | None
    alternative_to: str | None
    status: Status
    error: str | None
    request: dict[str, Any]
    prompt: str | None = Field(description="What the model saw, chat template applied.")
    passages: list[RecordPassage]
    steps: list[dict[str, Any]]
    output: dict[str, Any] = Field(description="OpenAI's `choices`, as far as they got.")
    usage: Usage | None = Field(description="null for a call that did not get to its end.")
    first_token_ms: float | None
    duration_ms: float
    versions: dict[str, Any]
    feedback: list[Feedback]


@router.get("/v1/records")
def list_records(
    principal: CurrentPrincipal,
    services: CurrentServices,
    model: str | None = None,
    app: str | None = None,
    status: Status | None = None,
    conversation: str | None = None,
    metric: Annotated[Metric | None, Query(description="With feedback of this kind.")] = None,
    q: Annotated[
        str | None, Query(max_length=1000, description="Text in the question or the answer.")
    ] = None,
    created_after: float | None = None,
    created_before: float | None = None,
    limit: Limit = 20,
    after: After = None,
    order: Order = "desc",
) -> ListOf[Record]:
    """Newest first. Members see their own calls, admins all."""
    where = RecordFilter(
        model=model,
        app=app,
        status=status,
        conversation=conversation,
        metric=metric,
        q=q,
        created_after=created_after,
        created_before=created_before,
    )
    page = services.records.list(principal, where, after=after, limit=limit, order=order)
    return ListOf.of([_view(record) for record in page.data], page.has_more)


@router.get("/v1/records/{id}")
def get_record(id: str, principal: CurrentPrincipal, services: CurrentServices) -> Record:
    return _view(services.records.get(id, principal))


def _view(record: records.Record) -> Record:
    row = record.row
    return Record.model_validate(
        {
            **{name: getattr(row, name) for name in Record.model_fields if hasattr(row, name)},
            "created_at": int(row.created_at),
            "usage": _usage(row.prompt_tokens, row.completion_tokens),
            "feedback": [Feedback.of(each) for each in record.feedback],
        }
    )


def _usage(prompt: int | None, completion: int | None) -> Usage | None:
    if prompt is None or completion is None:
        return None
    return Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )
