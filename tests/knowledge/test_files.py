"""Files: stored whole, named safely, listed in pages."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from headstart.errors import BadRequest, NotFound
from headstart.knowledge.files import Files, clean_name
from headstart.knowledge.passages import Document
from headstart.storage.database import Database
from headstart.storage.objects import Objects


@pytest.fixture
def files(tmp_path: Path) -> Files:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    database.migrate()
    return Files(database, Objects(str(tmp_path / "objects")), max_bytes=1000)


def test_bytes_come_back(files: Files) -> None:
    row = files.create("a.txt", io.BytesIO(b"words"))
    assert row.id.startswith("file-")
    assert (row.bytes, row.filename, row.purpose) == (5, "a.txt", "assistants")
    with files.open(row.id) as stream:
        assert stream.read() == b"words"
    assert files.get(row.id).sha256 == row.sha256


def test_equal_bytes_are_two_files(files: Files) -> None:
    first, second = (files.create("a.txt", io.BytesIO(b"words")) for _ in range(2))
    assert first.id != second.id
    files.delete(first.id)
    with files.open(second.id) as stream:
        assert stream.read() == b"words"


def test_too_large_leaves_no_row_and_no_bytes(files: Files, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="1000"):
        files.create("a.txt", io.BytesIO(bytes(1001)))
    assert files.list().data == []
    assert not [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]


def test_an_unknown_purpose_is_refused_by_name(files: Files) -> None:
    with pytest.raises(BadRequest, match="'fun'"):
        files.create("a.txt", io.BytesIO(b""), "fun")


def test_lists_are_cut_into_pages(files: Files) -> None:
    ids = [files.create(f"{n}.txt", io.BytesIO(b"x")).id for n in range(5)]
    other = files.create("b.jsonl", io.BytesIO(b"x"), "batch").id
    seen: list[str] = []
    after = None
    while True:
        page = files.list("assistants", after=after, limit=2, order="asc")
        seen += [row.id for row in page.data]
        if not page.has_more:
            break
        after = page.data[-1].id
    assert sorted(seen) == sorted(ids)
    assert [row.id for row in files.list("batch").data] == [other]
    with pytest.raises(BadRequest, match="file-none"):
        files.list(after="file-none")


def test_deleting_removes_everything(files: Files, tmp_path: Path) -> None:
    row = files.create("a.txt", io.BytesIO(b"words"))
    files.keep_document(row.id, Document("# Words", "Title", (0, 3)))
    assert files.document(row.id) == Document("# Words", "Title", (0, 3))
    files.delete(row.id)
    with pytest.raises(NotFound, match=row.id):
        files.get(row.id)
    with pytest.raises(NotFound):
        files.document(row.id)
    assert not [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]


def test_texts_with_lone_surrogates_survive(files: Files) -> None:
    row = files.create("a.txt", io.BytesIO(b"words"))
    files.keep_document(row.id, Document("broken \ud83d half"))
    assert files.document(row.id).text == "broken \ud83d half"


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "etc/passwd"),
        ("/abs/olute.md", "abs/olute.md"),
        ("C:\\Users\\me\\x.docx", "C:/Users/me/x.docx"),
        ("a\0b\nc.txt", "abc.txt"),
        ("\u202etxt.exe", "txt.exe"),
        ("", "file"),
        ("...", "file"),
        ("Übersicht 😀.md", "Übersicht 😀.md"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
        ("x" * 300, "x" * 255),
    ],
)
def test_names_are_made_safe(given: str, clean: str) -> None:
    assert clean_name(given) == clean
