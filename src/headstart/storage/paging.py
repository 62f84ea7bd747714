"""Lists in pages: rows after a row, in an order that holds while new rows come in (keyset paging).

The last key must be unique, so that rows with equal times neither repeat nor vanish between pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from headstart.errors import BadRequest

T = TypeVar("T")

Order = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and whether there are more after them."""

    data: list[T]
    has_more: bool


def page(
    session: Session,
    query: Select[T],
    keys: Sequence[InstrumentedAttribute[Any]],
    *,
    after: str | None,
    before: str | None = None,
    limit: int,
    order: Order,
) -> Page[T]:
    """The `limit` rows that follow the row with id `after`, or lead up to the one `before`.

    `keys[-1]` is the id's column.
    """
    here, ascending = tuple_(*keys), order == "asc"
    if after is not None:
        start = _place(session, query, keys, "after", after)
        query = query.where(here > start if ascending else here < start)
    if before is not None:
        end = _place(session, query, keys, "before", before)
        query = query.where(here < end if ascending else here > end)
        ascending = not ascending  # the nearest ones come first, and are turned round below
    query = query.order_by(*(key.asc() if ascending else key.desc() for key in keys))
    found = list(session.scalars(query.limit(limit + 1)))
    rows = found[:limit]
    return Page(rows if before is None else rows[::-1], has_more=len(found) > limit)


def _place(
    session: Session,
    query: Select[Any],
    keys: Sequence[InstrumentedAttribute[Any]],
    param: str,
    value: str,
) -> tuple[Any, ...]:
    row = session.execute(query.with_only_columns(*keys).where(keys[-1] == value)).first()
    if row is None:
        raise BadRequest(f"{param}: '{value}' is not in this list", param=param)
    return tuple(row)
