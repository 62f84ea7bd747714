"""OpenAI's attribute filters, and the SQL condition on the index that each of them is.

A comparison looks at one attribute of the file: strings compare with strings, numbers with
numbers, booleans with booleans. `ne` and `nin` also find files without the attribute.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from headstart.errors import BadRequest
from headstart.knowledge.index import literal

Scalar = bool | float | Annotated[str, Field(max_length=512)]
_MAX_DEPTH = 8
_ORDER = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Comparison(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]
    key: str = Field(min_length=1, max_length=64)
    value: Scalar | Annotated[list[Scalar], Field(max_length=1000)]

    @model_validator(mode="after")
    def _fits(self) -> Comparison:
        if (self.type in ("in", "nin")) != isinstance(self.value, list):
            takes = "one value" if isinstance(self.value, list) else "a list of values"
            raise ValueError(f"'{self.type}' takes {takes}")
        if self.type in _ORDER and isinstance(self.value, bool):
            raise ValueError(f"'{self.type}' takes a number or a string, not a boolean")
        return self

    @property
    def depth(self) -> int:
        return 0

    def sql(self) -> str:
        if isinstance(self.value, list):
            found = " OR ".join(self._equals(value) for value in self.value) or "false"
            return f"({found})" if self.type == "in" else f"(NOT ({found}))"
        if self.type in ("eq", "ne"):
            equal = self._equals(self.value)
            return equal if self.type == "eq" else f"(NOT {equal})"
        return self._ordered(_ORDER[self.type], self.value)

    def _equals(self, value: Scalar) -> str:
        if isinstance(value, bool):
            return f"(coalesce({self._json} = '{json.dumps(value)}', false))"
        return self._ordered("=", value)

    def _ordered(self, operator: str, value: Scalar) -> str:
        if isinstance(value, str):
            text = f"json_get_string(attributes, {literal(self.key)})"
            is_text = f"{self._json} LIKE '\"%'"
            return f"(coalesce({is_text} AND {text} {operator} {literal(value)}, false))"
        number = f"try_cast({self._json} AS DOUBLE)"
        return f"(coalesce({number} {operator} {float(value)!r}, false))"

    @property
    def _json(self) -> str:
        """The attribute as JSON text, which tells '3' from 3."""
        path = "$." + json.dumps(self.key, ensure_ascii=False)
        return f"json_extract(attributes, {literal(path)})"


class Compound(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["and", "or"]
    filters: list[Filter] = Field(min_length=1, max_length=64)

    @model_validator(mode="after")
    def _is_not_too_deep(self) -> Compound:
        if self.depth > _MAX_DEPTH:
            raise ValueError(f"filters are nested deeper than {_MAX_DEPTH} levels")
        return self

    @property
    def depth(self) -> int:
        return 1 + max(each.depth for each in self.filters)

    def sql(self) -> str:
        return "(" + f" {self.type.upper()} ".join(each.sql() for each in self.filters) + ")"


Filter = Annotated[Comparison | Compound, Field(discriminator="type")]
Compound.model_rebuild()
_FILTER: TypeAdapter[Comparison | Compound] = TypeAdapter(Filter)


def condition(filters: Comparison | Compound | dict[str, Any] | None) -> str | None:
    """The SQL condition of OpenAI's `filters`, as models or as JSON."""
    if filters is None:
        return None
    if isinstance(filters, dict):
        try:
            filters = _FILTER.validate_python(filters)
        except (ValidationError, RecursionError) as error:
            what = str(error) if isinstance(error, RecursionError) else error.errors()[0]["msg"]
            raise BadRequest(f"filters: {what}", param="filters") from error
    return filters.sql()
