"""OpenAI's filters against a real index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headstart.errors import BadRequest
from headstart.knowledge.filters import condition
from headstart.knowledge.index import Index
from tests.knowledge.test_index import entry

FILES: dict[str, dict[str, Any]] = {
    "hr": {"team": "hr", "year": 2024, "public": True},
    "it": {"team": "it", "year": 2025.5, "public": False},
    "odd": {'it\'s "q" $.x [0]': "O'Neil \\ 😀", "year": "2024"},
    "none": {},
}


@pytest.fixture
async def index(tmp_path: Path) -> Index:
    index = Index(tmp_path, "vs_1")
    await index.upsert([entry(key, key, key, **values) for key, values in FILES.items()])
    return index


def one(type: str, key: str, value: Any) -> dict[str, Any]:
    return {"type": type, "key": key, "value": value}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (one("eq", "team", "hr"), {"hr"}),
        (one("ne", "team", "hr"), {"it", "odd", "none"}),
        (one("eq", "year", 2024), {"hr"}),
        (one("eq", "year", "2024"), {"odd"}),
        (one("gt", "year", 2024), {"it"}),
        (one("gte", "year", 2024), {"hr", "it"}),
        (one("lt", "year", 2025), {"hr"}),
        (one("lte", "year", 2025.5), {"hr", "it"}),
        (one("gte", "team", "i"), {"it"}),
        (one("eq", "public", True), {"hr"}),
        (one("eq", "public", False), {"it"}),
        (one("in", "team", ["hr", "it", "x"]), {"hr", "it"}),
        (one("nin", "team", ["hr", "it"]), {"odd", "none"}),
        (one("in", "year", [2024, "2024"]), {"hr", "odd"}),
        (one("in", "team", []), set()),
        (one("eq", 'it\'s "q" $.x [0]', "O'Neil \\ 😀"), {"odd"}),
        (one("eq", "team", "' OR true --"), set()),
        (one("eq", "missing", "x"), set()),
        (
            {"type": "and", "filters": [one("eq", "team", "hr"), one("gt", "year", 2000)]},
            {"hr"},
        ),
        (
            {
                "type": "or",
                "filters": [
                    one("eq", "team", "it"),
                    {"type": "and", "filters": [one("eq", "year", 2024), one("ne", "team", "x")]},
                ],
            },
            {"hr", "it"},
        ),
    ],
)
async def test_filters(index: Index, filters: dict[str, Any], expected: set[str]) -> None:
    hits = await index.nearest(entry("q", "hr").vector, 10, condition(filters))
    assert {hit.key for hit in hits} == expected


@pytest.mark.parametrize(
    "filters",
    [
        {"type": "like", "key": "a", "value": "x"},
        {"type": "eq", "value": "x"},
        {"type": "eq", "key": "a", "value": ["x"]},
        {"type": "in", "key": "a", "value": "x"},
        {"type": "gt", "key": "a", "value": True},
        {"type": "eq", "key": "a", "value": {"sql": "1"}},
        {"type": "eq", "key": "a", "value": None},
        {"type": "eq", "key": "", "value": "x"},
        {"type": "and", "filters": []},
        {"type": "eq", "key": "a", "value": "x", "extra": 1},
        {},
    ],
)
def test_wrong_filters_are_refused(filters: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="filters") as refused:
        condition(filters)
    assert refused.value.param == "filters"


@pytest.mark.parametrize("depth", [9, 2_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    nested = one("eq", "a", "x")
    for _ in range(depth):
        nested = {"type": "and", "filters": [nested]}
    with pytest.raises(BadRequest, match="filters"):
        condition(nested)


def test_no_filter_is_no_condition() -> None:
    assert condition(None) is None
