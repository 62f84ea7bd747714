"""The check that a ZIP container (docx, pptx, xlsx, epub, …) is safe to unpack.

Every member is decompressed once in constant memory, so that it is the real size that counts and
not the size that the archive's own headers declare.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from headstart.knowledge.loaders.base import Limits, LoadError

_MAX_MEMBERS = 20_000
_MAX_RATIO = 250  # XML and spreadsheets reach 50; a bomb is 1,000 and more
_RATIO_MATTERS_FROM = 8 * 2**20  # bytes unpacked; a small file may be as regular as it likes
_STEP = 2**18
_LOCAL_HEADER = 30
_ENTITY = (b"<!ENTITY", "<!ENTITY".encode("utf-16-le"))


def check_archive(path: Path, filename: str, limits: Limits) -> None:
    """Refuse archives that would unpack to too much, are encrypted, or define XML entities."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as raw:
        members = archive.infolist()
        if len(members) > _MAX_MEMBERS:
            raise LoadError(
                "zip_bomb",
                f"'{filename}' holds {len(members):,} files; at most {_MAX_MEMBERS:,} are allowed.",
            )
        declared = sum(member.file_size for member in members)
        if declared > limits.unpacked_bytes:
            raise _too_much(filename, declared, limits)
        left = limits.unpacked_bytes
        for member in members:
            if not member.is_dir():
                left -= _check_member(raw, member, filename, left, limits)


def _check_member(
    raw: BinaryIO, member: zipfile.ZipInfo, filename: str, left: int, limits: Limits
) -> int:
    """Decompress one member without keeping it; returns its real size."""
    if member.flag_bits & 1:
        raise LoadError(
            "encrypted",
            f"'{filename}' has encrypted parts; save a copy without protection and add that.",
        )
    size = checksum = 0
    tail = b""
    scan = not member.filename.endswith((".png", ".jpg", ".jpeg", ".emf", ".wmf", ".bin"))
    for block in _inflate(raw, member, filename):
        size += len(block)
        checksum = zlib.crc32(block, checksum)
        if size > left:
            raise _too_much(filename, limits.unpacked_bytes - left + size, limits)
        if size > max(_RATIO_MATTERS_FROM, _MAX_RATIO * member.compress_size):
            raise LoadError(
                "zip_bomb",
                f"'{filename}' looks like a ZIP bomb: '{member.filename}' unpacks to more than "
                f"{_MAX_RATIO} times its packed size of {member.compress_size:,} bytes.",
            )
        if scan and any(entity in tail + block for entity in _ENTITY):
            raise LoadError(
                "invalid",
                f"'{filename}' defines XML entities in '{member.filename}', which documents have "
                "no use for and attacks do.",
            )
        tail = block[-32:]
    if size != member.file_size:
        raise LoadError(
            "invalid",
            f"'{filename}' is damaged: '{member.filename}' has {size:,} bytes where "
            f"{member.file_size:,} are declared.",
        )
    if checksum != member.CRC:
        raise _damaged(filename, member)
    return size


def _inflate(raw: BinaryIO, member: zipfile.ZipInfo, filename: str) -> Iterator[bytes]:
    raw.seek(member.header_offset)
    header = raw.read(_LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
        raise _damaged(filename, member)
    name_length = int.from_bytes(header[26:28], "little")
    extra_length = int.from_bytes(header[28:30], "little")
    raw.seek(name_length + extra_length, 1)
    if member.compress_type == zipfile.ZIP_STORED:
        yield from _stored(raw, member.compress_size)
        return
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise LoadError(
            "unsupported", f"'{filename}' packs '{member.filename}' in a way that is not supported."
        )
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for packed in _stored(raw, member.compress_size):
            block = decompressor.decompress(packed, _STEP)
            while block:
                yield block
                block = decompressor.decompress(decompressor.unconsumed_tail, _STEP)
        yield decompressor.flush()
    except zlib.error as error:
        raise _damaged(filename, member) from error
    if not decompressor.eof:
        raise _damaged(filename, member)


def _stored(raw: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0:
        block = raw.read(min(_STEP, length))
        if not block:
            return
        length -= len(block)
        yield block


def _damaged(filename: str, member: zipfile.ZipInfo) -> LoadError:
    return LoadError("invalid", f"'{filename}' is damaged: '{member.filename}' cannot be unpacked.")


def _too_much(filename: str, size: int, limits: Limits) -> LoadError:
    return LoadError(
        "zip_bomb",
        f"'{filename}' would unpack to {size / 2**20:,.0f} MiB or more; "
        f"the limit is {limits.unpacked_bytes / 2**20:,.0f} MiB.",
    )
