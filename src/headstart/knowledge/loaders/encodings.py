"""Bytes to text: byte order marks, then UTF-8, then a guess at what legacy encoding it is."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from headstart.knowledge.loaders.base import LoadError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is its prefix
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 2**16
_CONTROL = re.compile(r"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]")
_DROPPED = dict.fromkeys((0, 65279)) | {0x0B: "\n", 0x0C: "\n", 0x85: "\n"}


def decode(data: bytes, filename: str) -> str:
    """The text of a file, line ends normalised to `\\n`. Raises `LoadError` if it is no text."""
    text = _decoded(data, filename)
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_DROPPED)


def check_text(data: bytes, filename: str) -> str | None:
    """Refuse binary data with a `LoadError`; the encoding of Unicode text that shows it."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    sample = data[:_SAMPLE]
    wide = _utf16_without_mark(sample)
    seen = sample.decode(wide or "latin-1", errors="replace")
    if len(_CONTROL.findall(seen)) > len(seen) // 50:
        raise LoadError(
            "unsupported", f"'{filename}' is a binary file of a kind that cannot be read."
        )
    return wide


def _decoded(data: bytes, filename: str) -> str:
    encoding = check_text(data, filename)
    if encoding:
        return data.decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    text = data.decode("utf-8", errors="replace")
    seen = text[:_SAMPLE]
    bad = seen.count("\ufffd")
    if 10 * bad < sum(character > "\x7f" for character in seen):
        return text  # UTF-8 by most of what is not ASCII, with a bad byte here and there
    guess = from_bytes(data[:_SAMPLE]).best()
    if guess is not None:
        return data.decode(guess.encoding, errors="replace")
    if 100 * bad < len(seen):
        return text
    raise LoadError(
        "unsupported",
        f"'{filename}' is neither text in a known encoding nor a supported binary format.",
    )


def _utf16_without_mark(sample: bytes) -> str | None:
    """UTF-16 of mostly Latin text has a zero in every second byte."""
    half = len(sample) // 2
    if half < 4:
        return None
    if sample[1::2].count(0) > 0.4 * half and sample[::2].count(0) == 0:
        return "utf-16-le"
    if sample[::2].count(0) > 0.4 * half and sample[1::2].count(0) == 0:
        return "utf-16-be"
    return None
