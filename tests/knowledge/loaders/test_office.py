from __future__ import annotations

from pathlib import Path

from headstart.knowledge.loaders.office import Epub, PowerPoint, Word
from tests.knowledge.loaders import made


def test_word(tmp_path: Path) -> None:
    table = "".join(
        f"<w:tr>{''.join(f'<w:tc>{made.paragraph(cell)}</w:tc>' for cell in row)}</w:tr>"
        for row in (("kind", "minutes"), ("green", "2"))
    )
    body = (
        made.paragraph("Tea", "Heading1")
        + made.paragraph("Made of leaves.")
        + f"<w:tbl>{table}</w:tbl>"
    )
    document = Word().load(made.docx(tmp_path / "a.docx", body), "a.docx")
    assert document.title == "Tea"
    assert document.text == (
        "# Tea\n\nMade of leaves.\n\n| kind | minutes |\n| --- | --- |\n| green | 2 |"
    )


def test_a_slide_is_a_page(tmp_path: Path) -> None:
    slides = [
        ("Plan", "First point\nSecond point", "Say hello."),
        ("", "", ""),
        ("", "Only a box", ""),
        ("End", "<!-- Slide number: 9 -->\nBye", ""),
    ]
    document = PowerPoint().load(made.pptx(tmp_path / "a.pptx", slides), "a.pptx")
    assert document.title == "Plan"
    assert document.text == (
        "# Plan\nFirst point\nSecond point\n\nNotes:\nSay hello.\n\n"
        "# Slide 3\n\nOnly a box\n\n# End\n<!-- Slide number: 9 -->\nBye"
    )
    starts = [document.text.index(part) for part in ("# Plan", "# Slide 3", "# Slide 3", "# End")]
    assert document.pages == tuple(starts)


def test_epub(tmp_path: Path) -> None:
    path = made.epub(tmp_path / "a.epub", ["<h1>One</h1><p>First.</p>", "<h1>Two</h1><p>Last.</p>"])
    document = Epub().load(path, "a.epub")
    assert document.title == "A Book"
    assert document.text.endswith("# One\n\nFirst.\n\n# Two\n\nLast.")
