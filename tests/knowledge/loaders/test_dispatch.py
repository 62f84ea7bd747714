from __future__ import annotations

import os
from pathlib import Path

import pytest

from headstart.knowledge.loaders.base import Limits, LoadError
from headstart.knowledge.loaders.dispatch import load_here
from tests.knowledge.loaders import made

LIMITS = Limits(file_bytes=100_000, text_chars=10_000)


def refusal(path: Path, name: str = "") -> LoadError:
    name = name or path.name
    with pytest.raises(LoadError) as caught:
        load_here(path, name, LIMITS)
    assert caught.value.message.startswith(f"'{name}' ")
    return caught.value


@pytest.mark.parametrize("name", ["notes.txt", "README", "strange.suffix", "main.rs"])
def test_text_of_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "x").write_text("hello", "utf-8")
    assert "hello" in load_here(tmp_path / "x", name, LIMITS).text


def test_a_wrong_suffix_does_not_matter(tmp_path: Path) -> None:
    path = made.docx(tmp_path / "report.pdf", made.paragraph("It is a Word file."))
    assert load_here(path, "report.pdf", LIMITS).text == "It is a Word file."


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as stream:
        stream.truncate(200 * 2**20)
    error = refusal(path)
    assert error.code == "too_large"
    assert "200.0 MiB; the limit is 0 MiB" in error.message


def test_more_text_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("word " * 2001, "utf-8")
    error = refusal(path)
    assert error.code == "too_large"
    assert "10,005 characters of text; the limit is 10,000" in error.message


@pytest.mark.parametrize("text", [" \n\t", "\N{BOM}\n"])
def test_a_file_of_spaces(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.md"
    path.write_text(text, "utf-8")
    assert refusal(path).code == "no_text"


def test_what_is_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "pipe"):
        assert refusal(path).code == "invalid"


@pytest.mark.parametrize("body", ["<w:p><w:r>", "<w:p/>"])
def test_word_files_without_text_or_well_formed_xml(tmp_path: Path, body: str) -> None:
    assert refusal(made.docx(tmp_path / "a.docx", body)).code in ("invalid", "no_text")


def test_word_files_without_their_parts(tmp_path: Path) -> None:
    error = refusal(made.archive(tmp_path / "b.docx", {"word/document.xml": "<a/>"}))
    assert error.code == "invalid"
    assert "damaged or not well-formed" in error.message


@pytest.mark.parametrize("kind", [".docx", ".epub", ".pptx", ".xlsx"])
def test_a_container_cut_off_anywhere(tmp_path: Path, kind: str) -> None:
    whole = {
        ".docx": lambda path: made.docx(path, made.paragraph("text")),
        ".epub": lambda path: made.epub(path, ["<p>text</p>"]),
        ".pptx": lambda path: made.pptx(path, [("title", "text", "")]),
        ".xlsx": lambda path: made.xlsx(path, {"S": [["text"]]}),
    }[kind](tmp_path / f"whole{kind}")
    data = whole.read_bytes()
    for share in (0.1, 0.5, 0.99):
        path = tmp_path / f"cut{kind}"
        path.write_bytes(data[: int(len(data) * share)])
        assert refusal(path).code == "truncated"


def test_an_entity_bomb(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<!DOCTYPE w:document [<!ENTITY e0 "lol">{entities}]>'
    path = made.docx(tmp_path / "a.docx", made.paragraph("&e9;"), head=head)
    error = refusal(path)
    assert error.code == "invalid"
    assert "XML entities" in error.message
