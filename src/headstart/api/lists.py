"""The shape of every list that pages: OpenAI's, with the ids to go on from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Generic, Literal, TypeVar

from fastapi import Query
from pydantic import BaseModel

ItemT = TypeVar("ItemT", bound=BaseModel)

Limit = Annotated[int, Query(ge=1, le=100, description="How many to return.")]
After = Annotated[str | None, Query(description="Return what follows the item with this id.")]


class ListOf(BaseModel, Generic[ItemT]):
    """A page of things that have an `id`."""

    object: Literal["list"] = "list"
    data: list[ItemT]
    first_id: str | None
    last_id: str | None
    has_more: bool

    @classmethod
    def of(cls, data: Sequence[ItemT], has_more: bool = False) -> ListOf[ItemT]:
        ids: list[str] = [item.id for item in data]  # type: ignore[attr-defined]  # all have one
        return cls(
            data=list(data),
            first_id=ids[0] if ids else None,
            last_id=ids[-1] if ids else None,
            has_more=has_more,
        )
