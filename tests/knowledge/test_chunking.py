from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headstart.errors import BadRequest
from headstart.knowledge.chunking import chunk, embedding_text
from headstart.knowledge.passages import Chunk, Document
from headstart.knowledge.tokens import TokenCounter
from tests.knowledge.tokenizer import tiny_tokenizer


def words(text: str) -> int:
    return len(text.split())


def joined(text: str) -> int:
    """Counts like a tokenizer in which parts cost less, or more, than the whole."""
    return (len(text.encode()) + 2) // 3 + text.count(".\n")


def sentences(count: int, length: int = 10) -> str:
    return " ".join(f"S{n}{' word' * (length - 2)} end." for n in range(count))


def check(document: Document, chunks: Sequence[Chunk], count: TokenCounter, limit: int) -> None:
    """What holds for every document, whatever is in it."""
    text = document.text
    covered = 0
    pages = [*document.pages, len(text) + 1]
    for found in chunks:
        assert text[found.start : found.end] == found.text
        assert found.text.strip()
        assert not text[covered : found.start].strip()
        assert found.start >= covered
        covered = found.end
        if document.pages:
            assert found.page is not None
            assert pages[found.page - 1] <= found.start or found.page == 1
            assert found.end <= pages[found.page]
        else:
            assert found.page is None
    assert not text[covered:].strip()
    counts = count.counts([embedding_text(found) for found in chunks])
    for found, tokens in zip(chunks, counts, strict=True):
        assert tokens <= limit or len(found.text) == 1


# --- structure --------------------------------------------------------------------------------


def test_a_short_document_is_one_passage() -> None:
    text = "# Tea\n\nMade of leaves.\n\n## Green\n\nTwo minutes.\n\n## Black\n\nFour minutes.\n"
    [only] = chunk(Document(text), count=words)
    assert only == Chunk(text.strip(), 0, len(text) - 1, ("Tea",), None, "Tea")


def test_nothing_to_cut() -> None:
    assert chunk(Document(""), count=words) == []
    assert chunk(Document(" \n\n\t\n"), count=words) == []


def test_sections_are_kept_apart_with_their_headings() -> None:
    text = f"# A\n\n{sentences(3)}\n\n## B\n\n{sentences(3)}\n\n# C\n\n{sentences(3)}"
    found = chunk(Document(text, title="Book"), count=words, max_tokens=45)
    assert [each.headings for each in found] == [("A",), ("A", "B"), ("C",)]
    assert [each.context for each in found] == ["Book › A", "Book › A › B", "Book › C"]
    assert found[1].text.startswith("## B\n\nS0")
    assert embedding_text(found[1]) == f"Book › A › B\n\n{found[1].text}"


def test_a_title_that_is_the_first_heading_is_not_said_twice() -> None:
    [only] = chunk(Document("# Tea\n\nLeaves.", title="Tea"), count=words)
    assert only.context == "Tea"


def test_a_heading_is_never_the_end_of_a_passage() -> None:
    text = "\n\n".join(f"## H{n}\n\n{sentences(2 + n % 4)}" for n in range(40))
    for found in chunk(Document(text), count=words, max_tokens=64):
        assert not found.text.splitlines()[-1].startswith("#")


def test_headings_in_a_row_go_with_what_follows() -> None:
    text = f"# Part\n\n## Chapter\n\n{sentences(8)}\n\n# Other\n\n{sentences(8)}"
    found = chunk(Document(text), count=words, max_tokens=100)
    assert [each.headings for each in found] == [("Part", "Chapter"), ("Other",)]
    assert found[0].text.startswith("# Part\n\n## Chapter\n\n")


def test_small_neighbours_are_put_together_under_what_they_share() -> None:
    text = "# All\n\n" + "\n\n".join(f"## Q{n}\n\nShort answer {n}." for n in range(30))
    found = chunk(Document(text), count=words, max_tokens=60)
    assert len(found) < 6
    assert {each.headings for each in found} == {("All",)}


def test_paragraphs_are_parted_at_sentences() -> None:
    text = sentences(40)
    for found in chunk(Document(text), count=words, max_tokens=64):
        assert found.text.startswith("S")
        assert found.text.endswith("end.")


def test_passages_of_a_section_are_about_equally_long() -> None:
    counts = [words(each.text) for each in chunk(Document(sentences(26)), count=words)]
    assert len(counts) == 2
    assert max(counts) - min(counts) <= 10


def test_a_code_block_that_fits_is_kept_whole() -> None:
    code = "```python\n" + "\n\n".join(f"x{n} = {n}" for n in range(12)) + "\n```"
    text = f"{sentences(5)}\n\n{code}\n\n{sentences(5)}"
    found = chunk(Document(text), count=words, max_tokens=64)
    assert any(code in each.text for each in found)


def test_a_long_code_block_is_parted_between_lines_and_keeps_its_indent() -> None:
    code = "```\n" + "".join(f"    call({n}, 'a b c')\n" for n in range(100)) + "```"
    found = chunk(Document(code), count=words, max_tokens=50)
    assert len(found) > 5
    for each in found[1:]:
        assert each.text.startswith("    call(")


def test_rows_of_a_table_are_not_parted() -> None:
    table = "| id | what |\n|---|---|\n" + "".join(
        f"| {n} | some words. More words here |\n" for n in range(60)
    )
    for each in chunk(Document(table), count=words, max_tokens=60):
        assert each.text.startswith("|")
        assert each.text.endswith("|")


@pytest.mark.parametrize("size", [1, 3, 40, 400])
def test_passages_stay_within_their_page(size: int) -> None:
    pages = [sentences(size), "", f"# Heading\n\n{sentences(size)}", "Last."]
    text = "\n\n".join(pages)
    starts = (0, len(pages[0]) + 2, len(pages[0]) + 4, len(text) - 5)
    document = Document(text, pages=starts)
    found = chunk(document, count=words, max_tokens=64)
    assert {each.page for each in found} == {1, 3, 4}
    check(document, found, TokenCounter(words), 64)


def test_a_block_that_crosses_pages_is_parted_there() -> None:
    text = "```\nfirst page\nsecond page\n```"
    found = chunk(Document(text, pages=(0, 15)), count=words)
    assert [(each.text, each.page) for each in found] == [
        ("```\nfirst page", 1),
        ("second page\n```", 2),
    ]


def test_overlap_repeats_whole_sentences_within_a_section() -> None:
    text = f"# A\n\n{sentences(20)}\n\n# B\n\n{sentences(20)}"
    found = chunk(Document(text), count=words, max_tokens=64, overlap=20)
    for before, after in pairwise(found):
        shared = text[after.start : before.end] if after.start < before.end else ""
        if before.headings == after.headings:
            assert words(shared) == 20
            assert shared.startswith("S")
        else:
            assert not shared
    assert all(words(embedding_text(each)) <= 64 for each in found)


@pytest.mark.parametrize(("max_tokens", "overlap"), [(0, 0), (10, 6), (10, -1)])
def test_impossible_sizes(max_tokens: int, overlap: int) -> None:
    with pytest.raises(BadRequest, match="Cannot cut into passages"):
        chunk(Document("a"), count=words, max_tokens=max_tokens, overlap=overlap)


def test_a_long_heading_path_takes_at_most_a_quarter() -> None:
    text = "\n\n".join(f"{'#' * n} {f'level{n} ' * 20}" for n in range(1, 7))
    found = chunk(Document(f"{text}\n\n{sentences(30)}"), count=words, max_tokens=64)
    assert len(found[-1].headings) == 6
    assert 0 < words(found[-1].context) <= 16
    assert "level6" in found[-1].context
    assert all(words(embedding_text(each)) <= 64 for each in found)


# --- properties -------------------------------------------------------------------------------

_WORD = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)
_PROSE = st.lists(st.one_of(_WORD, st.sampled_from(["the", "cat.", "sat!", "word\n", "。"]))).map(
    " ".join
)
_PART = st.one_of(
    _PROSE,
    st.builds("{} {}".format, st.sampled_from(["#", "##", "####"]), _WORD),
    st.builds("```\n{}\n```".format, _PROSE),
    st.builds("```\n{}".format, _PROSE),  # never closed
    st.lists(st.builds("| {} | {} |".format, _WORD, _WORD), min_size=1, max_size=9).map(
        lambda rows: "\n".join([rows[0], "|---|---|", *rows[1:]])
    ),
    st.lists(_PROSE, max_size=5).map(lambda items: "\n".join(f"- {item}" for item in items)),
    st.builds("    {}".format, _PROSE),
    st.builds("> {}".format, _PROSE),
    st.builds("{}\n---".format, _WORD),
    st.integers(1, 3000).map(lambda n: "x" * n),
    st.integers(1, 3000).map(lambda n: " \n"[n % 2] * n),
    st.sampled_from(["[a]: b", "<div>", "<!-- ", "***", "-", "|", "\r\n", "\t", "\x00", "😀" * 50]),
)
_TEXT = st.lists(_PART, max_size=25).flatmap(
    lambda parts: st.sampled_from(["\n\n", "\n"]).map(lambda glue: glue.join(parts))
)
COUNTERS: dict[str, TokenCounter] = {
    "words": TokenCounter(words),
    "bytes": TokenCounter(joined),
    "tokenizer": TokenCounter(tiny_tokenizer()),
}


@pytest.mark.parametrize("counter", COUNTERS)
@given(
    text=_TEXT,
    limit=st.sampled_from([1, 2, 5, 16, 64, 256]),
    cuts=st.lists(st.floats(0, 1), max_size=4),
    title=st.none() | _WORD,
)
@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_always(counter: str, text: str, limit: int, cuts: list[float], title: str | None) -> None:
    pages = (0, *sorted(int(cut * len(text)) for cut in cuts)) if cuts else ()
    document = Document(text, title, pages)
    found = chunk(document, count=COUNTERS[counter], max_tokens=limit)
    check(document, found, COUNTERS[counter], limit)


@given(text=_TEXT, overlap=st.integers(0, 16))
@settings(max_examples=60, deadline=None, database=None)
def test_always_with_overlap(text: str, overlap: int) -> None:
    found = chunk(Document(text), count=words, max_tokens=32, overlap=overlap)
    covered = last = 0
    for each in found:
        assert text[each.start : each.end] == each.text
        assert words(embedding_text(each)) <= 32
        assert each.start >= last
        assert each.end > covered
        assert not text[covered : max(covered, each.start)].strip()
        covered, last = each.end, each.start
    assert not text[covered:].strip()


# --- length -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit",
    [
        "a.\n\n",
        "- a\n",
        "word ",
        "x",
        "[a]: b\n",
        "[\n",
        "# h\n",
        "|1|2|\n",
        ">>>>a\n",
        "*a `",
        "。",
    ],
)
def test_time_is_linear_whatever_the_text(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        start = time.process_time()
        chunk(Document(text), count=words)
        return time.process_time() - start

    seconds(1_000)
    assert seconds(64_000) < 8 * 3 * max(seconds(8_000), 0.02)
