"""The store: whole models or none, whatever was killed or damaged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from headstart.errors import Conflict
from headstart.hub.cards import Task
from headstart.hub.store import MANIFEST, Manifest, Store, folder_name
from headstart.hub.stored import StoredModel


def install(store: Store, name: str = "m", variant: str = "v", pulled_at: int = 1) -> StoredModel:
    work = store.work_folder(name, variant)
    (work / "model.onnx").write_bytes(b"weights")
    manifest = Manifest(
        name=name,
        variant=variant,
        task=Task.EMBEDDING,
        format="onnx",
        path=".",
        bytes=7,
        digest=hashlib.sha256(b"weights").hexdigest(),
        context_length=128,
        source="test",
        pulled_at=pulled_at,
        files={"model.onnx": 7},
    )
    return store.install(work, manifest)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


def test_an_empty_store_has_no_models(store: Store) -> None:
    assert store.models() == []
    assert store.find("m") is None


def test_installs_in_one_rename(store: Store) -> None:
    model = install(store)
    assert store.models() == [model]
    assert (model.path / "model.onnx").read_bytes() == b"weights"
    assert not (store.folder / ".partial" / "m" / "v").exists()


def test_work_in_progress_is_no_model(store: Store) -> None:
    (store.work_folder("m", "v") / "model.onnx").write_bytes(b"weights")
    assert store.models() == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "model.onnx").write_bytes(b"weigh"),
        lambda folder: (folder / "model.onnx").unlink(),
        lambda folder: (folder / MANIFEST).unlink(),
        lambda folder: (folder / MANIFEST).write_text('{"name": "m"'),
        lambda folder: (folder / MANIFEST).write_text('{"name": 5}'),
        lambda folder: (folder / MANIFEST).write_bytes(b"\xff\xfe"),
    ],
)
def test_a_damaged_model_is_left_out_and_replaced(store: Store, damage: object) -> None:
    other = install(store, "other")
    damage(install(store).path)  # type: ignore[operator]
    assert store.models() == [other]
    assert store.find("m") is None
    assert install(store) in store.models()


def test_the_newest_variant_is_found_unless_one_is_named(store: Store) -> None:
    install(store, variant="b", pulled_at=2)
    install(store, variant="a", pulled_at=3)
    install(store, variant="c", pulled_at=1)
    found, named = store.find("m"), store.find("m", "b")
    assert found is not None
    assert named is not None
    assert (found.variant, named.variant) == ("a", "b")


def test_remove_takes_all_variants_or_one(store: Store) -> None:
    for variant in "abc":
        install(store, variant=variant)
    assert [model.variant for model in store.remove("m", "b")] == ["b"]
    assert len(store.remove("m")) == 2
    assert store.remove("m") == []
    assert store.models() == []


def test_what_is_being_pulled_cannot_be_removed(store: Store) -> None:
    install(store)
    with store.lock("m", "v"), pytest.raises(Conflict, match="is being pulled"):
        Store(store.folder).remove("m")
    assert store.remove("m")


def test_names_stay_inside_the_store(store: Store) -> None:
    for name in ("hf:org/repo/file.gguf@v1", "../../etc", "..", ".partial", "a\\b", "ü/\n"):
        folder = folder_name(name)
        assert "/" not in folder
        assert not folder.startswith(".")
        model = install(store, name)
        assert store.folder in model.path.parents
        assert store.find(name) == model
    assert folder_name("a/b") != folder_name("a%2Fb")


def test_the_manifest_says_where_a_model_is_from(store: Store) -> None:
    model = install(store)
    manifest = json.loads((model.path / MANIFEST).read_text())
    assert manifest["source"] == "test"
    assert store.manifest(model).digest == model.digest
