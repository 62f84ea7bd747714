"""The Hugging Face source against a small hub on loopback."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from headstart import settings
from headstart.errors import BadRequest, NotFound, Unavailable
from headstart.hub.cards import Task
from headstart.hub.hub import Hub
from headstart.hub.sources import huggingface
from headstart.hub.sources.base import PullCancelled, PullProgress
from tests.hub.fake_hub import COMMIT, FakeHub, fake_hub
from tests.hub.tiny_gguf import write_gguf


@pytest.fixture
def gguf(tmp_path: Path) -> bytes:
    write_gguf(tmp_path / "x.gguf", rows=2048)
    return (tmp_path / "x.gguf").read_bytes()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface, "_PAUSE_SECONDS", 0)


def hub_at(server: FakeHub, **options: Any) -> Hub:
    return Hub(settings.load(hf_endpoint=server.url, **options))


def test_pulls_a_file_and_knows_it_afterwards(gguf: bytes) -> None:
    facts = {
        "pipeline_tag": "text-generation",
        "gguf": {"total": 5, "architecture": "llama", "context_length": 4096},
        "cardData": {"license": "apache-2.0", "language": ["en", "fr"]},
    }
    with fake_hub(files={"tiny-q8_0.gguf": gguf, "README.md": b"hi"}, facts=facts) as server:
        hub = hub_at(server)
        seen: list[PullProgress] = []
        model = hub.pull("hf:acme/tiny", progress=seen.append)
        assert model.path.read_bytes() == gguf
        assert (model.variant, model.architecture, model.context_length) == ("Q8_0", "llama", 4096)
        assert seen[-1].done == len(gguf)
        assert [p.done for p in seen if p.stage == "download"][-1] == len(gguf)
        asked = len(server.requests)
        assert hub.pull("hf:acme/tiny") == model  # nothing is asked again
        assert len(server.requests) == asked
    assert hub.resolve("hf:acme/tiny") == model  # the server is gone
    card = hub.card("hf:acme/tiny")
    assert (card.license, card.languages, card.task) == ("apache-2.0", ["en", "fr"], Task.CHAT)
    assert not list((hub.store.folder / ".partial").glob("*/*"))


def test_downloads_at_the_commit_not_at_the_branch(gguf: bytes) -> None:
    with fake_hub(files={"a.gguf": gguf}) as server:
        hub_at(server).pull("hf:acme/tiny@main")
        assert server.downloads("a.gguf") == [None]
        assert any(f"/resolve/{COMMIT}/" in path for path, _ in server.requests)


def test_goes_on_after_the_connection_was_cut(gguf: bytes) -> None:
    half = len(gguf) // 2 + 1
    with fake_hub(files={"a.gguf": gguf}, cut_after=half) as server:
        model = hub_at(server).pull("hf:acme/tiny/a.gguf")
        assert server.downloads("a.gguf") == [None, f"bytes={half}-"]
    assert model.path.read_bytes() == gguf


def test_a_connection_that_never_brings_a_byte_is_given_up(gguf: bytes) -> None:
    with fake_hub(files={"a.gguf": gguf}, cut_after=0) as server:
        with pytest.raises(Unavailable, match="broke"):
            hub_at(server).pull("hf:acme/tiny")
        assert len(server.downloads("a.gguf")) == 5


def test_goes_on_after_a_restart(gguf: bytes) -> None:
    cancelled = threading.Event()

    def stop_early(progress: PullProgress) -> None:
        if progress.done > len(gguf) // 2:
            cancelled.set()

    with fake_hub(files={"a.gguf": gguf}) as server:
        with pytest.raises(PullCancelled):
            hub_at(server).pull("hf:acme/tiny", progress=stop_early, cancelled=cancelled)
        model = hub_at(server).pull("hf:acme/tiny")  # another process's hub
        spans = server.downloads("a.gguf")
        assert spans[-1] is not None
        assert int(spans[-1][6:-1]) > 0
    assert model.path.read_bytes() == gguf


def test_wrong_bytes_are_thrown_away(gguf: bytes) -> None:
    with fake_hub(files={"a.gguf": gguf}, lies=True) as server:
        hub = hub_at(server)
        with pytest.raises(Unavailable, match="expected") as caught:
            hub.pull("hf:acme/tiny")
        assert caught.value.code == "digest_mismatch"
        assert hub.installed() == []
        server.lies = False
        assert hub.pull("hf:acme/tiny").path.read_bytes() == gguf


def test_a_gated_repository_says_what_to_do(gguf: bytes) -> None:
    with fake_hub(files={"a.gguf": gguf}, gated=True) as server:
        with pytest.raises(Unavailable, match=r"gated: accept its licence at .*HEADSTART_HF_TOKEN"):
            hub_at(server).pull("hf:acme/tiny")
        hub = hub_at(server, hf_token="hf_open")
        assert hub.pull("hf:acme/tiny").path.read_bytes() == gguf
        assert set(server.tokens[-2:]) == {"Bearer hf_open"}
        assert "hf_open" not in repr(hub.settings)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf:acme/none", "has no model acme/none, or it is private"),
        ("hf:acme/tiny@v9", "has no revision 'v9'"),
        ("hf:acme/tiny/b.gguf", "has no file 'b.gguf'"),
        ("hf:nonsense", "is not of the form hf:org/repo"),
    ],
)
def test_what_is_not_there_is_named(gguf: bytes, name: str, message: str) -> None:
    with (
        fake_hub(files={"a.gguf": gguf}) as server,
        pytest.raises((Unavailable, BadRequest), match=message),
    ):
        hub_at(server).pull(name)


def test_a_hub_that_cannot_be_reached_is_one_sentence(gguf: bytes) -> None:
    with fake_hub(files={"a.gguf": gguf}) as server:
        hub = hub_at(server)
        model = hub.pull("hf:acme/tiny")
    with pytest.raises(Unavailable) as caught:
        hub.pull("hf:acme/other")
    host = server.url.removeprefix("http://")
    assert f"{host} cannot be reached" in caught.value.message
    assert "Traceback" not in caught.value.message
    assert hub.installed() == [model]


def test_quantizations_are_variants(gguf: bytes) -> None:
    files = {"t-Q8_0.gguf": gguf, "t-Q4_K_M.gguf": gguf, "mmproj-F16.gguf": gguf}
    with fake_hub(files=files) as server:
        hub = hub_at(server)
        assert hub.pull("hf:acme/tiny").variant == "Q4_K_M"
        assert hub.pull("hf:acme/tiny", "q8_0").variant == "Q8_0"
        with pytest.raises(NotFound, match="comes as Q4_K_M, Q8_0"):
            hub.pull("hf:acme/tiny", "Q2_K")
    assert [model.variant for model in hub.installed()] == ["Q4_K_M", "Q8_0"]


def test_an_embedder_comes_as_onnx_with_its_tokenizer() -> None:
    files = {
        "onnx/model.onnx": b"onnx",
        "model.safetensors": b"float",
        "config.json": json.dumps({"max_position_embeddings": 512}).encode(),
        "tokenizer.json": b"{}",
        "1_Pooling/config.json": b"{}",
        "README.md": b"",
    }
    with fake_hub(files=files, facts={"pipeline_tag": "sentence-similarity"}) as server:
        model = hub_at(server).pull("hf:acme/tiny")
    assert (model.task, model.context_length) == (Task.EMBEDDING, 512)
    assert (model.path / "model.onnx").read_bytes() == b"onnx"
    assert (model.path / "1_Pooling/config.json").exists()
    assert not (model.path / "model.safetensors").exists()
