from __future__ import annotations

from pathlib import Path

import pytest

from headstart.knowledge.loaders.base import LoadError
from headstart.knowledge.loaders.pdf import Pdf
from tests.knowledge.loaders import made

PAGES = [
    [
        ("B", "The Lighthouse", 20, 700),
        ("F", "It stands on a rock since 1842, and its", 11, 660),
        ("F", "lamp is seen from twenty miles.", 11, 647),
        ("F", "A second paragraph begins after a gap.", 11, 615),
        ("B", "Opening hours", 11, 590),
        ("F", "Daily from nine to five.", 11, 577),
        ("F", "# is no heading here", 11, 550),
    ],
    [],
    [("F", "The last page.", 11, 700)],
]


def test_headings_paragraphs_and_pages(tmp_path: Path) -> None:
    document = Pdf().load(made.pdf(tmp_path / "a.pdf", PAGES), "a.pdf")
    assert document.text == (
        "# The Lighthouse\n\n"
        "It stands on a rock since 1842, and its\nlamp is seen from twenty miles.\n\n"
        "A second paragraph begins after a gap.\n\n"
        "#### Opening hours\n\n"
        "Daily from nine to five.\n\n"
        "\\# is no heading here\n\n"
        "The last page."
    )
    last = document.text.index("The last page.")
    assert document.pages == (0, last, last)
    assert document.title == "The Lighthouse"


def test_a_pdf_without_text_is_taken_for_a_scan(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"'a\.pdf' has 2 pages but no text.*OCR") as refusal:
        Pdf().load(made.pdf(tmp_path / "a.pdf", [[], []]), "a.pdf")
    assert refusal.value.code == "no_text"


def test_a_pdf_without_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.7\n" + b"1 0 obj\n<< /Type /Page >>\n" * 100)
    with pytest.raises(LoadError, match=r"'a\.pdf' is cut off") as refusal:
        Pdf().load(path, "a.pdf")
    assert refusal.value.code == "truncated"


def test_a_pdf_of_nonsense(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.7\nnonsense\n%%EOF\n")
    with pytest.raises(LoadError, match=r"'a\.pdf' is damaged") as refusal:
        Pdf().load(path, "a.pdf")
    assert refusal.value.code == "invalid"
