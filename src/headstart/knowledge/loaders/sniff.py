"""What a file really is: its first bytes outrank its name.

Answers with the suffix that stands for the content (".pdf", ".docx", …). Within plain text there
is nothing to see in the bytes, so there the name decides: ".md", ".csv", ".py", …
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from headstart.knowledge.loaders.base import LoadError

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD = 4096

_ZIP_MEMBERS = {
    "word/document.xml": ".docx",
    "ppt/presentation.xml": ".pptx",
    "xl/workbook.xml": ".xlsx",
    "xl/workbook.bin": ".xlsb",
}
_ZIP_MIMETYPES = {
    b"application/epub+zip": ".epub",
    b"application/vnd.oasis.opendocument.spreadsheet": ".ods",
}
ZIP_SUFFIXES = frozenset([*_ZIP_MEMBERS.values(), *_ZIP_MIMETYPES.values()])

# Office formats before 2007: streams of an OLE container, named in UTF-16.
_OLD_OFFICE = {"WordDocument": ".doc", "PowerPoint Document": ".ppt"}

_MAGIC = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"ID3": "audio",
    b"OggS": "audio",
    b"SQLite format 3": "a SQLite database",
    b"{\\rtf": "a rich text (RTF) file",
    b"%!PS": "a PostScript file",
}
_BINARY_SUFFIXES = frozenset(
    [".pdf", ".docx", ".pptx", ".xlsx", ".xlsb", ".xls", ".ods", ".epub", ".doc", ".ppt"]
)


def sniff(path: Path, filename: str) -> str:
    """The suffix that fits the content of the file. Raises `LoadError`."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        raise LoadError("no_text", f"'{filename}' is empty (0 bytes).")
    if b"%PDF-" in head[:1024]:
        return ".pdf"
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(path, filename)
    if head.startswith(b"PK\x05\x06"):
        raise LoadError("no_text", f"'{filename}' is an empty ZIP archive.")
    if head.startswith(_OLE):
        return _ole_kind(path, filename)
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise LoadError(
                "unsupported", f"'{filename}' is {what}, which cannot be read as a document."
            )
    suffix = Path(filename).suffix.lower()
    if suffix in _BINARY_SUFFIXES:
        raise LoadError(
            "invalid",
            f"'{filename}' is not a {suffix} file: its content does not begin as one. "
            "It may be damaged or carry the wrong suffix.",
        )
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower().startswith((b"<!doctype html", b"<html")):
        return ".html"
    return suffix


def _zip_kind(path: Path, filename: str) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            mimetype = b""
            if "mimetype" in names:
                with archive.open("mimetype") as member:
                    mimetype = member.read(100).strip()
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise LoadError(
            "truncated",
            f"'{filename}' is cut off or damaged: it begins as an Office, EPUB or ZIP file but "
            "has no readable table of contents at its end.",
        ) from error
    for member_name, suffix in _ZIP_MEMBERS.items():
        if member_name in names:
            return suffix
    if mimetype in _ZIP_MIMETYPES:
        return _ZIP_MIMETYPES[mimetype]
    if "META-INF/container.xml" in names:
        return ".epub"
    raise LoadError(
        "unsupported",
        f"'{filename}' is a ZIP archive and not a document; unpack it and add the files in it.",
    )


def _ole_kind(path: Path, filename: str) -> str:
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise LoadError(
            "encrypted",
            f"'{filename}' is protected with a password; save a copy without one and add that.",
        )
    if any(stream.encode("utf-16-le") in content for stream in ("Workbook", "Book")):
        return ".xls"
    for stream, suffix in _OLD_OFFICE.items():
        if stream.encode("utf-16-le") in content:
            raise LoadError(
                "unsupported",
                f"'{filename}' is in the old {suffix} format; save it as {suffix}x and add that.",
            )
    raise LoadError("unsupported", f"'{filename}' is an OLE container of an unknown kind.")
