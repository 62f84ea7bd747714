"""Objects: whole or absent, streamed, limited."""

from __future__ import annotations

import errno
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest

from headstart.errors import BadRequest, NotFound, SettingsError, Unavailable
from headstart.storage.objects import PIECE, Objects


@pytest.fixture(params=["folder", "memory"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    url = str(tmp_path / "objects") if request.param == "folder" else f"memory://{tmp_path.name}"
    return Objects(url)


def test_what_is_put_is_read_back(objects: Objects) -> None:
    data = bytes(range(256)) * (PIECE // 100)
    stored = objects.put("files/file-1", io.BytesIO(data))
    assert (stored.bytes, stored.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert objects.read("files/file-1") == data
    assert objects.size("files/file-1") == len(data)
    with objects.as_path("files/file-1") as path:
        assert path.read_bytes() == data


def test_put_replaces(objects: Objects) -> None:
    objects.put("a", io.BytesIO(b"old and longer"))
    objects.put("a", io.BytesIO(b"new"))
    assert objects.read("a") == b"new"


def test_a_missing_object_is_said_by_name(objects: Objects) -> None:
    with pytest.raises(NotFound, match="file-none"):
        objects.read("files/file-none")
    with pytest.raises(NotFound), objects.as_path("files/file-none"):
        pass
    with pytest.raises(NotFound):
        objects.size("files/file-none")
    objects.delete("files/file-none")


def test_delete(objects: Objects) -> None:
    objects.put("a/b", io.BytesIO(b"x"))
    objects.delete("a/b")
    assert not objects.exists("a/b")


def test_over_the_limit_leaves_nothing(objects: Objects) -> None:
    with pytest.raises(BadRequest, match="limit of 10 bytes") as refused:
        objects.put("big", io.BytesIO(b"x" * 11), limit=10)
    assert refused.value.code == "too_large"
    assert not objects.exists("big")


class _Breaking(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(4)
        if not piece:
            raise ConnectionResetError("the client went away")
        return piece


def test_a_source_that_breaks_leaves_the_old_object(objects: Objects, tmp_path: Path) -> None:
    objects.put("a", io.BytesIO(b"old"))
    with pytest.raises(ConnectionResetError):
        objects.put("a", _Breaking(b"newer bytes"))
    assert objects.read("a") == b"old"
    assert not list(tmp_path.rglob("*.part"))


def test_a_full_disk_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    objects = Objects(str(tmp_path))
    with pytest.raises(Unavailable, match=r"No space left in .* to store 'a'") as refused:
        objects.put("a", io.BytesIO(b"x"))
    assert refused.value.code == "storage_full"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../b", "", "a//b", ".hidden", "a\0b"])
def test_keys_cannot_leave_the_store(objects: Objects, key: str) -> None:
    with pytest.raises(ValueError, match="not an object key"):
        objects.put(key, io.BytesIO(b"x"))


def test_an_unknown_protocol_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="objects_url"):
        Objects("nosuch://bucket")


def test_a_store_whose_driver_is_missing_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_args: Any) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("headstart.storage.objects.url_to_fs", missing)
    with pytest.raises(SettingsError, match="Install s3fs"):
        Objects("s3://bucket")
