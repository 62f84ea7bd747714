from __future__ import annotations

from pathlib import Path

import pytest

from headstart.knowledge.loaders.base import LoadError
from headstart.knowledge.loaders.sniff import sniff
from tests.knowledge.loaders import made

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["a.docx", "a.txt", "a.pdf", "a"])
def test_content_outranks_the_name(tmp_path: Path, name: str) -> None:
    path = made.docx(tmp_path / name, made.paragraph("x"))
    assert sniff(path, name) == ".docx"


@pytest.mark.parametrize(
    ("members", "suffix"),
    [
        ({"ppt/presentation.xml": ""}, ".pptx"),
        ({"xl/workbook.xml": ""}, ".xlsx"),
        ({"xl/workbook.bin": ""}, ".xlsb"),
        ({"mimetype": "application/epub+zip"}, ".epub"),
        ({"META-INF/container.xml": ""}, ".epub"),
        ({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}, ".ods"),
    ],
)
def test_containers(tmp_path: Path, members: dict[str, str], suffix: str) -> None:
    assert sniff(made.archive(tmp_path / "a", members), "a") == suffix


@pytest.mark.parametrize(
    ("data", "name", "suffix"),
    [
        (b"junk before %PDF-1.7", "a.doc", ".pdf"),
        (b"\xef\xbb\xbf<!DOCTYPE html><p>", "a", ".html"),
        (b"a,b\n1,2", "A.CSV", ".csv"),
        (b"plain", "README", ""),
        (OLE + "Workbook".encode("utf-16-le"), "a.xls", ".xls"),
    ],
)
def test_other_content(tmp_path: Path, data: bytes, name: str, suffix: str) -> None:
    assert sniff(write(tmp_path / "x", data), name) == suffix


@pytest.mark.parametrize(
    ("data", "name", "code", "words"),
    [
        (b"", "a.md", "no_text", r"is empty \(0 bytes\)"),
        (b"PK\x05\x06" + bytes(18), "a.zip", "no_text", "empty ZIP"),
        (b"PK\x03\x04" + bytes(500), "a.docx", "truncated", "cut off"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a.docx", "encrypted", "password"),
        (OLE + "WordDocument".encode("utf-16-le"), "a.doc", "unsupported", r"save it as \.docx"),
        (OLE, "a.msg", "unsupported", "unknown kind"),
        (b"\x89PNG\r\n\x1a\n", "a.png", "unsupported", "a PNG image"),
        (b"{\\rtf1 hello}", "a.rtf", "unsupported", "RTF"),
        (b"<html>404</html>", "a.pdf", "invalid", r"not a \.pdf file"),
        (b"just text", "a.xlsx", "invalid", r"not a \.xlsx file"),
    ],
)
def test_refusals(tmp_path: Path, data: bytes, name: str, code: str, words: str) -> None:
    with pytest.raises(LoadError, match=words) as refusal:
        sniff(write(tmp_path / "x", data), name)
    assert refusal.value.code == code
    assert refusal.value.message.startswith(f"'{name}' ")


def test_a_zip_of_files_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="unpack it") as refusal:
        sniff(made.archive(tmp_path / "a.zip", {"notes.txt": "hello"}), "a.zip")
    assert refusal.value.code == "unsupported"
