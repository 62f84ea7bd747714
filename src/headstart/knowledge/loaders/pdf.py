"""PDF files, read by PDFium: text in reading order, page by page, with headings and paragraphs.

There is no text recognition: a scan without a text layer is refused as "no_text".
Form fields that were filled in, attachments and annotations are left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import pypdfium2 as pdfium

from headstart.knowledge.loaders.base import Loader, LoadError
from headstart.knowledge.loaders.pages import paged
from headstart.knowledge.loaders.pdf_layout import Line, body_size, page_lines, page_markdown
from headstart.knowledge.passages import Document

_END = b"%%EOF"
_FILE_NAME = re.compile(r"^Microsoft Word - |\.[a-z]{2,4}$|^untitled", re.IGNORECASE)


class Pdf(Loader):
    suffixes: ClassVar = (".pdf",)

    def load(self, path: Path, filename: str) -> Document:
        with _open(path, filename) as pdf:
            pages = [_lines(pdf, number) for number in range(len(pdf))]
            title = str(pdf.get_metadata_value("Title")).strip()
        if not any(pages):
            raise LoadError(
                "no_text",
                f"'{filename}' has {len(pages)} page{'s' * (len(pages) != 1)} but no text: it is "
                "probably a scan. Text recognition (OCR) is not included; run it through a tool "
                "such as ocrmypdf and add the result.",
            )
        size = body_size(pages)
        return paged(
            (page_markdown(lines, size) for lines in pages),
            title if len(title) > 3 and not _FILE_NAME.search(title) else None,
        )


def _open(path: Path, filename: str) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise LoadError(
                "encrypted",
                f"'{filename}' is protected with a password; save a copy without one and add that.",
            ) from error
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 2048))
            cut = _END not in stream.read()
        if cut:
            raise LoadError(
                "truncated",
                f"'{filename}' is cut off: the end of the PDF file is missing. "
                "Copy or download it again.",
            ) from error
        raise LoadError("invalid", f"'{filename}' is damaged: {error}") from error


def _lines(pdf: pdfium.PdfDocument, number: int) -> list[Line]:
    """The lines of one page; none if only this page is damaged."""
    try:
        page = pdf[number]
    except pdfium.PdfiumError:
        return []
    try:
        return page_lines(page.get_textpage())
    finally:
        page.close()
