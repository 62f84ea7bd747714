"""The hub: names, what is here, and models that lie elsewhere on the machine."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from headstart import settings
from headstart.errors import BadRequest, Conflict, NotFound
from headstart.hub.cards import OtherSource, Task
from headstart.hub.catalogue import Catalogue
from headstart.hub.hub import Hub, split_variant
from headstart.hub.sources.base import PullCancelled
from tests.hub.package_index import card
from tests.hub.test_store import install
from tests.hub.tiny_gguf import write_gguf


@pytest.fixture
def hub() -> Hub:
    return Hub(settings.load())


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    write_gguf(tmp_path / "Some-Model.Q8_0.gguf", architecture="qwen2", name="Tiny Model")
    return tmp_path / "Some-Model.Q8_0.gguf"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("smolm2-135m-instruct", "Did you mean 'smollm2-135m-instruct'"),
        ("smollm2-135m-instruct", "'headstart hub pull smollm2-135m-instruct' brings it"),
        ("smollm2-135m-instruct:Q4_1", "'headstart hub pull smollm2-135m-instruct:Q4_1' brings"),
        ("hf:org/repo", "'headstart hub pull hf:org/repo' brings it"),
        ("./nothing.gguf", "'headstart hub add ./nothing.gguf'"),
        ("zzzzzz", "No model 'zzzzzz' in the hub. 'headstart hub list'"),
    ],
)
def test_what_is_not_here_says_the_next_step(hub: Hub, name: str, message: str) -> None:
    with pytest.raises(NotFound) as caught:
        hub.resolve(name)
    assert message in caught.value.message
    assert caught.value.code == "model_not_found"


def test_pulling_an_unknown_name_or_variant(hub: Hub) -> None:
    with pytest.raises(NotFound, match="Did you mean 'flan-t5-small'"):
        hub.pull("flan-t5-smal")
    with pytest.raises(NotFound, match="has no variant 'Q2_K'; it comes as Q4_1"):
        hub.pull("smollm2-135m-instruct", "Q2_K")


def test_a_variant_can_be_part_of_the_name(hub: Hub) -> None:
    assert split_variant("a:Q8_0") == ("a", "Q8_0")
    assert split_variant("a") == ("a", None)
    assert split_variant("hf:org/repo") == ("hf:org/repo", None)
    assert split_variant("/a/b:c.gguf") == ("/a/b:c.gguf", None)


def test_the_default_variant_is_meant_unless_another_is_named(hub: Hub) -> None:
    default = install(hub.store, "all-minilm-l6-v2", "int8-onnx", pulled_at=1)
    other = install(hub.store, "all-minilm-l6-v2", "float", pulled_at=2)
    assert hub.resolve("all-minilm-l6-v2") == default
    assert hub.resolve("all-minilm-l6-v2:float") == other
    hub.remove("all-minilm-l6-v2:int8-onnx")
    assert hub.resolve("all-minilm-l6-v2") == other


def test_a_local_file_is_registered_by_reference(hub: Hub, gguf: Path) -> None:
    before = gguf.read_bytes()
    model = hub.add_local(gguf)
    assert (model.name, model.variant, model.task) == ("tiny-model", "Q8_0", Task.CHAT)
    assert (model.path, model.architecture, model.context_length) == (gguf, "qwen2", 4096)
    assert hub.resolve("tiny-model") == hub.resolve(str(gguf)) == hub.pull(str(gguf)) == model
    assert hub.card("tiny-model").variants[0].memory.keys() == {"openvino", "llamacpp"}
    assert model.name in [card.name for card in hub.search("tiny")]
    assert hub.remove("tiny-model") == [model]
    assert gguf.read_bytes() == before
    assert hub.installed() == []


def test_pulling_a_path_registers_it(hub: Hub, gguf: Path) -> None:
    assert hub.pull(str(gguf)).path == gguf
    assert len(hub.installed()) == 1


def test_a_local_file_that_changed_is_no_longer_here(hub: Hub, gguf: Path) -> None:
    hub.add_local(gguf, "mine")
    gguf.write_bytes(gguf.read_bytes() + b"more")
    with pytest.raises(NotFound):
        hub.resolve("mine")
    gguf.unlink()
    with pytest.raises(NotFound):
        hub.resolve("mine")
    assert hub.installed() == []


def test_a_truncated_local_file_is_refused(hub: Hub, gguf: Path) -> None:
    gguf.write_bytes(gguf.read_bytes()[:-100])
    with pytest.raises(BadRequest, match="is truncated: it has"):
        hub.add_local(gguf)
    assert hub.installed() == []


def test_local_names_do_not_hide_the_catalogue(hub: Hub, tmp_path: Path, gguf: Path) -> None:
    with pytest.raises(Conflict, match="is a model of the catalogue"):
        hub.add_local(gguf, "flan-t5-small")
    with pytest.raises(Conflict, match="not a plain lower-case name"):
        hub.add_local(gguf, "My Model/../x")
    write_gguf(tmp_path / "x.gguf", name="Phi-4")
    assert hub.add_local(tmp_path / "x.gguf").name == "local-phi-4"


def test_a_local_folder_is_read_by_its_config(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "my-embedder"
    folder.mkdir()
    with pytest.raises(BadRequest, match="is no model folder"):
        hub.add_local(folder)
    (folder / "model.onnx").write_bytes(b"onnx")
    (folder / "config.json").write_text("[1]")
    with pytest.raises(BadRequest, match="is not a JSON object"):
        hub.add_local(folder)
    config = {"architectures": ["BertModel"], "max_position_embeddings": 512}
    (folder / "config.json").write_text(json.dumps(config))
    model = hub.add_local(folder)
    assert (model.task, model.context_length, model.path) == (Task.EMBEDDING, 512, folder)
    with pytest.raises(BadRequest, match="No file or folder"):
        hub.add_local(tmp_path / "missing")


def test_a_kind_of_source_that_is_not_installed_is_named() -> None:
    s3 = OtherSource.model_validate({"kind": "s3", "bucket": "b"})
    hub = Hub(settings.load(), Catalogue([card(s3)]))
    with pytest.raises(Exception, match="nothing is installed for sources of kind 's3'"):
        hub.pull("tiny")


def test_waiting_for_another_pull_can_be_cancelled(hub: Hub) -> None:
    cancelled = threading.Event()
    cancelled.set()
    other = Hub(settings.load())
    with other.store.lock("smollm2-135m-instruct", "Q4_1"), pytest.raises(PullCancelled):
        hub.pull("smollm2-135m-instruct", cancelled=cancelled)


@pytest.mark.real
def test_the_bundled_models_are_resolved(hub: Hub, home: Path, model_store: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "models").symlink_to(model_store, target_is_directory=True)
    for name in ("smollm2-135m-instruct", "all-minilm-l6-v2", "qwen2.5-coder-0.5b-instruct"):
        model = hub.resolve(name)
        assert model.digest == hub.catalogue.card(name).variants[0].sha256
        assert hub.pull(name) == model
