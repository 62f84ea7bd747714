"""Real documents, and really broken ones, of other projects' test suites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headstart.knowledge.loaders.base import LoadError
from headstart.knowledge.loaders.isolated import Converters

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "documents"

# (file, pages, what must be in its text, in this order)
READABLE = [
    ("docx/docx-tables.docx", 0, ["Simple uniform table", "| Header Col 1 | Header Col 2 |"]),
    ("docx/test.docx", 0, ["# AutoGen: Enabling", "# Abstract", "| 7 | 8 | 9 | 10 | 11 | 12 |"]),
    (
        "docx/word_sample.docx",
        0,
        ["# Swimming in the lake", "Let’s swim!", "| Leaves | Ash, Elm, Maple | 50 |"],
    ),
    ("html/example-10k-1p.html", 0, ["Galaxy Gaming, Inc.", "| Common stock |"]),
    ("html/test_blog.html", 0, ["# Does Model and Inference Parameter Matter", "**TL;DR:**"]),
    ("html/test_wikipedia.html", 0, ["# Microsoft", "## History", "Bill Gates"]),
    ("md/nested.md", 0, ["# Nesting", "- abc"]),
    ("md/unstructured_README.md", 0, ["Example Docs"]),
    ("other/book-war-and-peace-1p.txt", 0, ["Prince"]),
    ("other/fake-text-utf-16-le.txt", 0, ["This is a test document", "Hamburgers are delicious"]),
    ("other/test.epub", 0, ["# Chapter 1: Test Content", "# Chapter 2: More Content"]),
    ("other/test_mskanji_cp932.csv", 0, ["| 名前 | 年齢 | 住所 |", "| 髙橋淳 | 35 | 名古屋 |"]),
    (
        "pdf/arxiv_2305.03393_pg9.pdf",
        1,
        ["#### 5.1 Hyper Parameter Optimization", "6 6 OTSL 0.965", "#### 5.2 Quantitative"],
    ),
    ("pdf/invalid-structure-one-page.pdf", 2, ["designated information security as a government"]),
    (
        "pdf/layout-parser-paper-fast.pdf",
        2,
        [
            "# LayoutParser: A Unified Toolkit for Deep Learning Based Document Image Analysis",
            "complicate the easy reuse of important innovations",
            "### 1 Introduction",
        ],
    ),
    (
        "pdf/multi_page.pdf",
        5,
        ["### Pre-Digital Era", "- IBM MT/ST", "### The Rise of Personal Computers"],
    ),
    ("pptx/malformed.pptx", 1, ["# Test Slide"]),
    (
        "pptx/powerpoint_sample.pptx",
        3,
        ["# Test Table Slide", "# Second slide title", "Notes:", "# Slide 3", "List item4"],
    ),
    ("xlsx/test.xls", 0, ["## Sheet1", "6ff4173b-42a5-4784-9b19-f49caff4d93d"]),
    ("xlsx/test.xlsx", 0, ["## Sheet1", "6ff4173b-42a5-4784-9b19-f49caff4d93d"]),
]

REFUSED = [
    ("pdf/corrupt_truncated.pdf", "truncated"),
    ("pdf/encrypted_libreoffice.pdf", "encrypted"),
    ("pdf/encrypted_password.pdf", "encrypted"),
    ("pdf/scanned_ocr_test.pdf", "no_text"),
    ("xlsx/password_protected.xlsx", "encrypted"),
]


@pytest.fixture(scope="module")
def converters() -> Iterator[Converters]:
    made = Converters(size=1)
    yield made
    made.close()


def sample(name: str) -> Path:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    return path


@pytest.mark.parametrize(("name", "pages", "parts"), READABLE, ids=[name for name, *_ in READABLE])
def test_readable(converters: Converters, name: str, pages: int, parts: list[str]) -> None:
    document = converters.load(sample(name), name)
    position = 0
    for part in parts:
        position = document.text.index(part, position)
    assert len(document.pages) == pages
    assert list(document.pages) == sorted(document.pages)


@pytest.mark.parametrize(("name", "code"), REFUSED)
def test_refused(converters: Converters, name: str, code: str) -> None:
    with pytest.raises(LoadError) as caught:
        converters.load(sample(name), name)
    assert caught.value.code == code
    assert caught.value.message.startswith(f"'{name}' ")


def outcome(converters: Converters, path: Path) -> str:
    try:
        return converters.load(path, path.name).text
    except LoadError as refusal:
        return refusal.message


def test_any_other_is_read_or_refused_in_words(converters: Converters) -> None:
    for path in SAMPLES.glob("*/*"):
        assert outcome(converters, path).strip()
