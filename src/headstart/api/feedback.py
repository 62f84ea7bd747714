"""`/v1/feedback`: say something about an answer, take it back, see what was said."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from headstart.api.deps import CurrentPrincipal, CurrentServices
from headstart.api.lists import ListOf
from headstart.storage.tables import FeedbackRow

router = APIRouter(tags=["feedback"])

Metric = Literal["thumbs", "rating", "comment", "correction", "preference"]


class Feedback(BaseModel):
    id: str
    object: Literal["feedback"] = "feedback"
    record_id: str
    metric: Metric
    value: Any = Field(description="thumbs: true (up) or false (down); the rest as it was given.")
    created_at: int

    @classmethod
    def of(cls, row: FeedbackRow) -> Feedback:
        return cls(
            id=row.id,
            record_id=row.record_id,
            metric=row.metric,  # type: ignore[arg-type]  # checked when it was stored
            value=row.value["value"],
            created_at=int(row.created_at),
        )


class NewFeedback(BaseModel):
    model_config = ConfigDict(extra="forbid")

    record_id: str = Field(description="The id of the answer: a chat completion's `id`.")
    metric: Metric
    value: JsonValue = Field(
        description="thumbs: true, false, 'up' or 'down'; rating: 1 to 5; comment, correction: "
        "text; preference: {'over': the id of the answer that record_id is better than}."
    )


class FeedbackDeleted(BaseModel):
    id: str
    object: Literal["feedback.deleted"] = "feedback.deleted"
    deleted: Literal[True] = True


@router.post("/v1/feedback")
def create_feedback(
    body: NewFeedback, principal: CurrentPrincipal, services: CurrentServices
) -> Feedback:
    """The newest thumbs, rating, correction or preference of a key replaces its older one."""
    return Feedback.of(services.feedback.add(body.record_id, body.metric, body.value, principal))


@router.get("/v1/feedback")
def list_feedback(
    principal: CurrentPrincipal, services: CurrentServices, record_id: str = Query()
) -> ListOf[Feedback]:
    """All that was said about one answer, oldest first."""
    rows = services.feedback.list(record_id, principal)
    return ListOf.of([Feedback.of(row) for row in rows])


@router.delete("/v1/feedback/{id}")
def delete_feedback(
    id: str, principal: CurrentPrincipal, services: CurrentServices
) -> FeedbackDeleted:
    services.feedback.delete(id, principal)
    return FeedbackDeleted(id=id)
