"""Files: uploaded bytes with a name and a purpose (OpenAI's `/v1/files`).

The bytes are objects under `files/<id>`; the Markdown that an ingestion made of them is under
`texts/<id>`. The same bytes may be stored twice. Everything here blocks.
"""

from __future__ import annotations

import json
import re
import secrets
import time
import unicodedata
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import delete, select

from headstart.errors import BadRequest, NotFound
from headstart.knowledge.passages import Document
from headstart.storage.database import Database
from headstart.storage.objects import Objects
from headstart.storage.paging import Order, Page, page
from headstart.storage.tables import FileRow

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data")
_MAX_NAME = 255
_KEYS = (FileRow.created_at, FileRow.id)


class Files:
    """The files of this server."""

    def __init__(self, database: Database, objects: Objects, max_bytes: int) -> None:
        self._database = database
        self._objects = objects
        self.max_bytes = max_bytes

    def create(self, filename: str, stream: BinaryIO, purpose: str = "assistants") -> FileRow:
        """Store the stream's bytes. A file is there whole, or not at all."""
        row = self.keep(filename, stream, purpose)
        self.add([row])
        return row

    def keep(self, filename: str, stream: BinaryIO, purpose: str = "assistants") -> FileRow:
        """Store the bytes alone. There is no such file before its row is added."""
        if purpose not in PURPOSES:
            raise BadRequest(
                f"purpose: '{purpose}' is not one of {', '.join(PURPOSES)}", param="purpose"
            )
        file_id = new_file_id()
        stored = self._objects.put(_bytes_key(file_id), stream, limit=self.max_bytes)
        return FileRow(
            id=file_id,
            filename=clean_name(filename),
            purpose=purpose,
            bytes=stored.bytes,
            sha256=stored.sha256,
            created_at=int(time.time()),
        )

    def add(self, rows: Sequence[FileRow]) -> None:
        with self._database.session() as session:
            session.add_all(rows)

    def get(self, file_id: str) -> FileRow:
        with self._database.session() as session:
            row = session.get(FileRow, file_id)
        if row is None:
            raise NotFound(f"No file '{file_id}'.", param="file_id", code="file_not_found")
        return row

    def list(
        self,
        purpose: str | None = None,
        *,
        after: str | None = None,
        limit: int = 20,
        order: Order = "desc",
    ) -> Page[FileRow]:
        query = select(FileRow)
        if purpose is not None:
            query = query.where(FileRow.purpose == purpose)
        with self._database.session() as session:
            return page(session, query, _KEYS, after=after, limit=limit, order=order)

    def open(self, file_id: str) -> BinaryIO:
        """A stream of the file's bytes."""
        return self._objects.open(_bytes_key(self.get(file_id).id))

    def path(self, file_id: str) -> AbstractContextManager[Path]:
        """The file's bytes as a local file to read."""
        return self._objects.as_path(_bytes_key(file_id))

    def delete(self, file_id: str) -> None:
        """Remove the file. Its memberships in vector stores must be gone (`Knowledge` sees to it).

        The row goes first: bytes without a row are never served, a row without bytes would fail.
        """
        with self._database.session() as session:
            session.execute(delete(FileRow).where(FileRow.id == file_id))
        self._objects.delete(_bytes_key(file_id))
        self._objects.delete(_text_key(file_id))

    def keep_document(self, file_id: str, document: Document) -> None:
        """Keep what a file became, so that a citation can be shown in its context."""
        text = json.dumps(asdict(document), ensure_ascii=False).encode("utf-8", "surrogatepass")
        self._objects.put(_text_key(file_id), BytesIO(text))

    def document(self, file_id: str) -> Document:
        """What the file became. `NotFound` before an ingestion has read it."""
        kept = json.loads(self._objects.read(_text_key(file_id)).decode("utf-8", "surrogatepass"))
        return Document(kept["text"], kept["title"], tuple(kept["pages"]))


def new_file_id() -> str:
    """Ids sort by the time at which they were made, also within a second."""
    return f"file-{time.time_ns():016x}{secrets.token_hex(4)}"


def clean_name(filename: str) -> str:
    """A name that is safe to show and to save under: a relative path without control characters."""
    parts = (_clean_part(part) for part in re.split(r"[\\/]+", filename))
    return "/".join(part for part in parts if part) or "file"


def _clean_part(part: str) -> str:
    name = unicodedata.normalize("NFC", part)
    name = "".join(each for each in name if unicodedata.category(each)[0] != "C").strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if len(name) > _MAX_NAME and dot:
        name = stem[: max(_MAX_NAME - len(suffix) - 1, 0)] + dot + suffix
    return name[:_MAX_NAME]


def _bytes_key(file_id: str) -> str:
    return f"files/{file_id}"


def _text_key(file_id: str) -> str:
    return f"texts/{file_id}"
