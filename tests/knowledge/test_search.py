"""Hybrid search: what is found, in which order, with which score."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.knowledge.embedding import Embedder
from headstart.knowledge.index import Index
from headstart.knowledge.passages import Passage
from headstart.knowledge.rows import Hit
from headstart.knowledge.search import Query, fuse, search
from tests.knowledge.stub import HashEndpoint, vector
from tests.knowledge.test_index import entry

TEXTS = {
    "c1": "Employees have thirty days of holiday a year",
    "c2": "Trains are booked in second class",
    "c3": "The error E-4711 means that the paper tray is empty",
}


@pytest.fixture
async def index(tmp_path: Path) -> Index:
    index = Index(tmp_path, "vs_1")
    await index.upsert([entry(key, text, f"file-{key}", n=1) for key, text in TEXTS.items()])
    return index


async def find(index: Index, text: str, **options: object) -> list[Passage]:
    query = await Query.of(text, Embedder(HashEndpoint()))
    return await search(index, "vs_1", query, limit=10, **options)  # type: ignore[arg-type]


async def test_the_fitting_passage_is_first_and_says_where_it_is(index: Index) -> None:
    [best, *_] = await find(index, "holiday days for employees")
    assert (best.id, best.store_id, best.file_id) == ("c1", "vs_1", "file-c1")
    assert (best.headings, best.page, best.start) == (("Top", "Below"), 3, 0)
    assert best.attributes == {"n": 1}


async def test_a_rare_word_is_found_by_itself(index: Index) -> None:
    assert (await find(index, "4711"))[0].id == "c3"


async def test_scores_say_whether_anything_fits(index: Index) -> None:
    fits, unfit = await find(index, TEXTS["c1"]), await find(index, "quantum chromodynamics")
    assert fits[0].score > 0.9
    assert fits[0].similarity == pytest.approx(1, abs=1e-5)
    assert unfit[0].score < 0.4
    assert all(0 <= each.score <= 1 for each in (*fits, *unfit))
    assert await find(index, "quantum chromodynamics", threshold=0.6) == []


async def test_a_filter_holds_for_both_kinds_of_search(index: Index) -> None:
    found = await find(index, TEXTS["c1"], where="file_id = 'file-c2'")
    assert [each.id for each in found] == ["c2"]


async def test_equal_passages_of_equal_files_come_once(index: Index) -> None:
    await index.upsert([entry("c1", TEXTS["c1"], "file-copy")])
    found = await find(index, TEXTS["c1"])
    assert [each.id for each in found].count("c1") == 1


@pytest.mark.parametrize("text", ["😀", '"((', "\0", "x " * 50_000, "the of"])
async def test_odd_queries_find_something_or_nothing_but_never_fail(
    index: Index, text: str
) -> None:
    assert len(await find(index, text)) <= 3


def _hit(key: str, text: str) -> Hit:
    return Hit({"id": key}, vector(text), 0.0)


def test_both_kinds_of_evidence_add_up() -> None:
    candidates = [_hit("v", "alpha beta"), _hit("both", "alpha gamma"), _hit("word", "delta")]
    bm25 = {"both": 9.0, "word": 3.0, "elsewhere": 8.0}
    fused = fuse(vector("alpha beta"), candidates, bm25, coverage=0.5, weight=0.6)
    scores = {row["id"]: score for row, score, _ in fused}
    cosines = {row["id"]: cosine for row, _, cosine in fused}
    assert scores["v"] == pytest.approx(0.6)
    assert scores["both"] == pytest.approx(0.6 * cosines["both"] + 0.4 * 0.5)
    assert scores["word"] == pytest.approx(0.6 * max(cosines["word"], 0) + 0.4 * 0.5 / 3)
    assert [score for _, score, _ in fused] == sorted(scores.values(), reverse=True)


def test_opposite_vectors_are_no_negative_evidence() -> None:
    query = vector("alpha")
    [(_, score, cosine)] = fuse(query, [Hit({"id": "x"}, -query, 2.0)], {}, coverage=0.0)
    assert score == 0
    assert cosine == pytest.approx(-1)
