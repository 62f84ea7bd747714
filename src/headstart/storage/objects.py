"""Objects: bytes under a key, in a folder or wherever else an fsspec URL points (`s3://bucket`).

An object appears whole or not at all, also when the process is killed or the disk fills up while
it is written. Keys are made by the layers above, never by callers. Everything here blocks; code on
the event loop goes through `asyncio.to_thread`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from headstart.errors import BadRequest, NotFound, SettingsError, Unavailable

PIECE = 2**20
_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What was written: its size and the SHA-256 of its bytes, in hexadecimal."""

    bytes: int
    sha256: str


class Objects:
    """The object store at one URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._fs, self._root = url_to_fs(url)  # type: ignore[no-untyped-call]
        except (ImportError, ValueError) as error:
            raise SettingsError(f"objects_url {url!r}: {error}", param="objects_url") from error
        self._local = isinstance(self._fs, LocalFileSystem)

    def put(self, key: str, source: BinaryIO, *, limit: int | None = None) -> StoredObject:
        """Write `source` to the end of the stream. More than `limit` bytes are refused."""
        path, digest, count = self._path(key), hashlib.sha256(), 0
        with self._says_when_full(key), self._written(path) as target:
            while piece := source.read(PIECE):
                count += len(piece)
                if limit is not None and count > limit:
                    raise BadRequest(
                        f"The file is larger than the limit of {limit} bytes "
                        "(setting max_upload_bytes).",
                        param="file",
                        code="too_large",
                    )
                digest.update(piece)
                target.write(piece)
        return StoredObject(count, digest.hexdigest())

    def open(self, key: str) -> BinaryIO:
        """A stream of the object's bytes."""
        try:
            return cast(BinaryIO, self._fs.open(self._path(key), "rb"))
        except FileNotFoundError as error:
            raise NotFound(f"No object '{key}' in {self.url}.") from error

    def read(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read()

    def size(self, key: str) -> int:
        try:
            return int(self._fs.size(self._path(key)))
        except FileNotFoundError as error:
            raise NotFound(f"No object '{key}' in {self.url}.") from error

    def exists(self, key: str) -> bool:
        return bool(self._fs.exists(self._path(key)))

    def delete(self, key: str) -> None:
        """Remove the object; one that is gone already is fine."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._path(key))

    @contextmanager
    def as_path(self, key: str) -> Iterator[Path]:
        """The object as a local file to read, for as long as the block runs."""
        if self._local:
            if not self.exists(key):
                raise NotFound(f"No object '{key}' in {self.url}.")
            yield Path(self._path(key))
            return
        with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
            path = Path(folder, "object")
            with self.open(key) as source, path.open("wb") as target:
                while piece := source.read(PIECE):
                    target.write(piece)
            yield path

    def _path(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise ValueError(f"not an object key: {key!r}")
        return f"{self._root}/{key}"

    @contextmanager
    def _written(self, path: str) -> Iterator[Any]:
        """A file that takes its place only when the block ends well."""
        if self._local:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(f"{path}.{secrets.token_hex(4)}.part")
            try:
                with temporary.open("wb") as target:
                    yield target
                    target.flush()
                    os.fsync(target.fileno())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            return
        part = f"{path}.{secrets.token_hex(4)}.part"
        try:
            with self._fs.open(part, "wb") as target:
                yield target
            self._fs.mv(part, path)
        finally:
            with suppress(FileNotFoundError):
                self._fs.rm_file(part)

    @contextmanager
    def _says_when_full(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise Unavailable(
                f"No space left in {self.url} to store '{key}'. Free some space, or point "
                "objects_url (HEADSTART_OBJECTS_URL) at a larger disk.",
                code="storage_full",
            ) from error
