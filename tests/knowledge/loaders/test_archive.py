from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from headstart.knowledge.loaders.archive import check_archive
from headstart.knowledge.loaders.base import Limits, LoadError
from tests.knowledge.loaders import made

LIMITS = Limits(unpacked_bytes=64 * 2**20)


def refusal(path: Path) -> LoadError:
    with pytest.raises(LoadError) as caught:
        check_archive(path, path.name, LIMITS)
    assert caught.value.message.startswith(f"'{path.name}' ")
    return caught.value


def test_an_ordinary_archive(tmp_path: Path) -> None:
    path = made.archive(tmp_path / "a.docx", {"dir/": "", "empty": "", "dir/a.xml": "<a/>" * 1000})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("image.png", bytes(range(256)) * 100)
    check_archive(path, "a.docx", LIMITS)


def test_more_than_the_limit_in_all(tmp_path: Path) -> None:
    members = {str(number): bytes(2**20) for number in range(65)}
    error = refusal(made.archive(tmp_path / "a.docx", members))
    assert error.code == "zip_bomb"
    assert "65 MiB or more; the limit is 64 MiB" in error.message


def test_a_suspicious_ratio(tmp_path: Path) -> None:
    error = refusal(made.archive(tmp_path / "a.docx", {"word/document.xml": bytes(20 * 2**20)}))
    assert error.code == "zip_bomb"
    assert "'word/document.xml' unpacks to more than 250 times" in error.message


def test_a_size_that_lies(tmp_path: Path) -> None:
    """Headers that declare a megabyte where there are 40: the real size is what counts."""
    path = made.archive(tmp_path / "a.docx", {"word/document.xml": bytes(40 * 2**20)})
    data = path.read_bytes().replace(struct.pack("<I", 40 * 2**20), struct.pack("<I", 2**20))
    path.write_bytes(data)
    with zipfile.ZipFile(path) as archive:
        assert archive.infolist()[0].file_size == 2**20
    assert refusal(path).code == "zip_bomb"


def test_a_size_that_lies_a_little(tmp_path: Path) -> None:
    path = made.archive(tmp_path / "a.docx", {"a.xml": bytes(5000)})
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 5000), struct.pack("<I", 4000)))
    error = refusal(path)
    assert error.code == "invalid"
    assert "5,000 bytes where 4,000 are declared" in error.message


def test_too_many_members(tmp_path: Path) -> None:
    error = refusal(
        made.archive(tmp_path / "a.docx", {str(number): "" for number in range(20_001)})
    )
    assert error.code == "zip_bomb"
    assert "20,001 files" in error.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_entities(tmp_path: Path, encoding: str) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>'
    padding = f"<!--{'-' * 300_000}-->"  # puts it behind the first block that is read
    error = refusal(made.archive(tmp_path / "a.docx", {"a.xml": (padding + bomb).encode(encoding)}))
    assert error.code == "invalid"
    assert "defines XML entities in 'a.xml'" in error.message


def test_an_encrypted_member(tmp_path: Path) -> None:
    path = made.archive(tmp_path / "a.epub", {"a.xml": "<a/>"})
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    path.write_bytes(data)
    assert refusal(path).code == "encrypted"


def test_damaged_data(tmp_path: Path) -> None:
    path = made.archive(tmp_path / "a.docx", {"a.xml": "".join(map(str, range(5000)))})
    data = bytearray(path.read_bytes())
    data[100:140] = b"\xff" * 40
    path.write_bytes(data)
    assert refusal(path).code == "invalid"


def test_a_flipped_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.xml", "<a>1000</a>")
    path.write_bytes(path.read_bytes().replace(b"1000", b"9000"))
    error = refusal(path)
    assert error.code == "invalid"
    assert "'a.xml' cannot be unpacked" in error.message


def test_an_unusual_compression(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.xml", "<a/>" * 100)
    assert refusal(path).code == "unsupported"
