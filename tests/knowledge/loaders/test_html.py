from __future__ import annotations

from pathlib import Path

import pytest

from headstart.knowledge.loaders.base import LoadError
from headstart.knowledge.loaders.html import Html
from headstart.knowledge.passages import Document


def load(path: Path, page: str, encoding: str = "utf-8") -> Document:
    path.write_bytes(page.encode(encoding))
    return Html().load(path, path.name)


def test_the_main_content_as_markdown(tmp_path: Path) -> None:
    document = load(
        tmp_path / "a.html",
        """<!doctype html><html><head><title> The
        page </title><style>p {}</style></head><body><nav><a href="/">Home</a></nav>
        <main><h1>Tea</h1><p>Made of <b>leaves</b>
        and <a href="https://w.org/water" title="x">water</a>,
        <a href="/cups">cups</a>.</p><ul><li>green<li>black</ul>
        <table><tr><td>kind<td>minutes<tr><td>green<td>2</table>
        <img alt="A pot" src="data:image/png;base64,AAAA"><script>alert(1)</script></main>
        <aside>Advertisement</aside></body></html>""",
    )
    assert document.title == "The page"
    assert document.text == (
        "# Tea\n\nMade of **leaves**\nand [water](https://w.org/water),\ncups.\n\n"
        "- green\n- black\n\n| kind | minutes |\n| --- | --- |\n| green | 2 |\n\nA pot"
    )


def test_a_small_article_is_not_taken_for_the_whole_page(tmp_path: Path) -> None:
    page = f"<body><article>Teaser</article><p>{'The real text. ' * 20}</p></body>"
    assert "The real text." in load(tmp_path / "a.html", page).text


def test_a_declared_encoding_is_obeyed(tmp_path: Path) -> None:
    page = '<meta charset="windows-1251"><body><p>Привет, мир</p></body>'
    assert load(tmp_path / "a.html", page, "windows-1251").text == "Привет, мир"


def test_xhtml(tmp_path: Path) -> None:
    page = (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head>'
        "<body><p>One<br/>Two</p></body></html>"
    )
    assert load(tmp_path / "a.xhtml", page) == Document("One\nTwo")


def test_deep_nesting_loses_structure_but_not_text(tmp_path: Path) -> None:
    page = "<body>" + "<div>" * 5000 + "found" + "</div>" * 5000
    assert load(tmp_path / "a.html", page).text == "found"


def test_binary_data_under_the_name_of_a_page(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"'a\.html' is a binary file") as refusal:
        load(tmp_path / "a.html", "".join(map(chr, range(256))) * 10, "latin-1")
    assert refusal.value.code == "unsupported"
