from __future__ import annotations

import codecs

import pytest

from headstart.knowledge.loaders.base import LoadError
from headstart.knowledge.loaders.encodings import decode

GERMAN = "Müßig saß der Bär über dem Fluß und träumte von süßem Honig und Äpfeln. " * 4
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。" * 4


@pytest.mark.parametrize("text", [GERMAN, JAPANESE, "plain ASCII"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_unicode(text: str, mark: bytes, encoding: str) -> None:
    assert decode(mark + text.encode(encoding), "a.txt") == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(encoding: str) -> None:
    assert decode(GERMAN.encode(encoding), "a.txt") == GERMAN


@pytest.mark.parametrize(("text", "encoding"), [(GERMAN, "cp1252"), (JAPANESE, "cp932")])
def test_legacy_encodings_are_guessed(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding), "a.txt") == text


def test_one_bad_byte_far_behind_does_not_turn_utf8_into_something_else() -> None:
    text = decode(GERMAN.encode() * 400 + b"\xff end", "a.txt")
    assert text == GERMAN * 400 + "\N{REPLACEMENT CHARACTER} end"


def test_utf8_with_a_bad_byte_here_and_there() -> None:
    data = bytearray((GERMAN + JAPANESE).encode() * 3)
    data[5] = data[700] = 0xFF
    text = decode(bytes(data), "a.txt")
    assert JAPANESE in text
    assert text.count("\N{REPLACEMENT CHARACTER}") <= 4


@pytest.mark.parametrize("data", [bytes(range(256)) * 8, b"\x00\x01\x02\x03" * 100])
def test_binary_data_is_refused(data: bytes) -> None:
    with pytest.raises(LoadError, match=r"'data\.bin' is a binary file") as refusal:
        decode(data, "data.bin")
    assert refusal.value.code == "unsupported"
