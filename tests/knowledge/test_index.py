"""The index: nothing twice, nothing lost, nothing that a query can break."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.errors import BadRequest, NotFound
from headstart.knowledge import index as index_module
from headstart.knowledge.index import Index, Indexes
from headstart.knowledge.passages import Chunk
from headstart.knowledge.rows import Entry
from tests.knowledge.stub import vector


def entry(key: str, text: str, file_id: str = "file-1", **attributes: Any) -> Entry:
    chunk = Chunk(text, 0, len(text), ("Top", "Below"), 3)
    return Entry(key, file_id, "a.md", chunk, text, vector(text), attributes)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "indexes", "vs_1")


async def test_an_empty_index_finds_nothing(index: Index) -> None:
    assert await index.nearest(vector("a"), 5) == []
    assert await index.matching("a", 5) == []
    assert await index.count() == 0
    assert await index.row("chunk_1") is None
    await index.delete_file("file-1")
    await index.optimize()


async def test_vectors_words_and_rows_are_found(index: Index) -> None:
    await index.upsert([entry("c1", "green apples"), entry("c2", "red cars")])
    [near, far] = await index.nearest(vector("green apples"), 2)
    assert (near.row["id"], far.row["id"]) == ("c1", "c2")
    assert near.score == pytest.approx(0, abs=1e-6)
    [match] = await index.matching("an apple", 5)
    assert match.row["id"] == "c1"
    row = await index.row("c2")
    assert row is not None
    assert (row["headings"], row["page"], row["filename"]) == (["Top", "Below"], 3, "a.md")


async def test_writing_again_leaves_one_row(index: Index) -> None:
    await index.upsert([entry("c1", "old words")])
    await index.upsert([entry("c1", "new words"), entry("c1", "new words")])
    assert await index.count() == 1
    assert [hit.row["text"] for hit in await index.matching("words", 5)] == ["new words"]
    await index.upsert([entry("c1", "new words", "file-2")])
    assert await index.count() == 2


async def test_concurrent_writes_all_arrive(index: Index) -> None:
    parts = [[entry(f"c{n}-{m}", f"text {n} {m}") for m in range(5)] for n in range(20)]
    await asyncio.gather(*(index.upsert(part) for part in parts), index.optimize())
    assert await index.count() == 100


async def test_rows_outlive_the_process(tmp_path: Path) -> None:
    await Index(tmp_path, "vs_1").upsert([entry("c1", "kept")])
    again = Index(tmp_path, "vs_1")
    assert [hit.row["id"] for hit in await again.matching("kept", 5)] == ["c1"]


async def test_files_leave_alone(index: Index) -> None:
    await index.upsert([entry("c1", "one"), entry("c2", "two"), entry("c3", "three", "file-2")])
    await index.delete_file("file-1", keep={"c2"})
    assert await index.ids("file-1") == {"c2"}
    await index.delete_file("file-1")
    assert await index.ids("file-1") == set()
    assert await index.ids("file-2") == {"c3"}
    await index.delete_file("' OR true --")
    assert await index.count() == 1


async def test_attributes_can_be_replaced(index: Index) -> None:
    await index.upsert([entry("c1", "one", team="hr"), entry("c2", "two", "file-2", team="it")])
    await index.set_attributes("file-1", {"it's": 'a "quoted" \\ value'})
    rows = [await index.row("c1"), await index.row("c2")]
    assert [row and row["attributes"] for row in rows] == [
        {"it's": 'a "quoted" \\ value'},
        {"team": "it"},
    ]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        "\0",
        "😀🎉",
        '"',
        "(((",
        "AND OR NOT",
        'title:"x" AND (y OR -z)^2 ~3 *',
        "' OR 1=1; DROP TABLE chunks --",
        "the of and",
        "\ufffe\u202e",
        "word " * 25_000,
        "x" * 100_000,
        "日本語の質問",
    ],
)
async def test_no_query_breaks_the_word_search(index: Index, query: str) -> None:
    await index.upsert([entry("c1", "some words")])
    assert len(await index.matching(query, 5)) <= 1


async def test_words_without_spaces_between_them_are_found(index: Index) -> None:
    await index.upsert([entry("c1", "私は東京に住んでいます"), entry("c2", "京都の寺")])
    assert [hit.row["id"] for hit in await index.matching("東京", 5)] == ["c1"]


async def test_another_dimension_is_refused_with_both_numbers(index: Index) -> None:
    await index.upsert([entry("c1", "one")])
    odd = Entry("c2", "f", "a", Chunk("x", 0, 1), "x", np.ones(7, np.float32), {})
    with pytest.raises(BadRequest, match=r"64 dimensions.* 7"):
        await index.upsert([odd])
    assert await index.count() == 1


async def test_a_large_store_gets_an_ann_index(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "ANN_FROM", 500)
    entries = [entry(f"c{n}", f"word{n} word{n // 7} word{n // 31}") for n in range(600)]
    await index.upsert(entries)
    await index.optimize()
    await index.upsert([entry("late", "a straggler after the index was built")])
    assert (await index.nearest(vector("a straggler after the index was built"), 1))[
        0
    ].key == "late"
    found = [(await index.nearest(each.vector, 1))[0].key for each in entries[::50]]
    assert found == [each.id for each in entries[::50]]


async def test_a_dropped_index_takes_nothing_more(tmp_path: Path) -> None:
    indexes = Indexes(tmp_path)
    index = indexes.of("vs_1")
    await index.upsert([entry("c1", "one")])
    await indexes.drop("vs_1")
    with pytest.raises(NotFound, match="vs_1"):
        await index.upsert([entry("c2", "two")])
    assert not list(tmp_path.iterdir())
    assert await indexes.of("vs_1").count() == 0
