from __future__ import annotations

from pathlib import Path

from headstart.knowledge.loaders.text import Code, Markdown, PlainText


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_markdown_is_kept_and_its_heading_is_the_title(tmp_path: Path) -> None:
    text = "# The *title*\n\nText with a | pipe.\n"
    document = Markdown().load(write(tmp_path / "a.md", text), "a.md")
    assert document.text == text
    assert document.title == "The *title*"
    assert document.pages == ()


def test_front_matter_becomes_a_code_block_and_gives_the_title(tmp_path: Path) -> None:
    source = '---\ntitle: "Leave policy"\ndate: 2024-01-01\n---\n\n# Another heading\n'
    document = Markdown().load(write(tmp_path / "a.md", source), "a.md")
    assert document.title == "Leave policy"
    assert document.text == (
        '```yaml\ntitle: "Leave policy"\ndate: 2024-01-01\n```\n\n# Another heading\n'
    )


def test_a_rule_at_the_top_is_not_front_matter(tmp_path: Path) -> None:
    text = "---\n\nA text that never has a second rule.\n"
    assert Markdown().load(write(tmp_path / "a.md", text), "a.md").text == text


def test_windows_line_ends_and_form_feeds_become_line_ends(tmp_path: Path) -> None:
    document = PlainText().load(write(tmp_path / "a.txt", "one\r\ntwo\rthree\ffour"), "a.txt")
    assert document.text == "one\ntwo\nthree\nfour"


def test_code_goes_into_a_fence_that_its_own_fences_cannot_close(tmp_path: Path) -> None:
    document = Code().load(write(tmp_path / "a.py", 'x = """\n````\n"""\n'), "a.py")
    assert document.text == '`````python\nx = """\n````\n"""\n`````\n'


def test_an_empty_code_file_has_no_text(tmp_path: Path) -> None:
    assert Code().load(write(tmp_path / "__init__.py", "\n"), "__init__.py").text == ""
