"""What each engine refuses, and the command that it starts. Nothing is loaded."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import pytest

from headstart.hub.cards import Task
from headstart.hub.gguf_header import GgufHeader
from headstart.hub.stored import StoredModel
from headstart.serving.engines import openvino as openvino_module
from headstart.serving.engines import vllm as vllm_module
from headstart.serving.engines.base import Engine, Launch
from headstart.serving.engines.echo import Echo
from headstart.serving.engines.llamacpp import LlamaCpp
from headstart.serving.engines.openvino import OpenVino
from headstart.serving.engines.openvino_embeddings import OpenVinoEmbeddings
from headstart.serving.engines.select import choose, load_engines
from headstart.serving.engines.vllm import Vllm
from tests.serving.workers.headers import header


def model(path: Path, task: Task = Task.CHAT) -> StoredModel:
    return StoredModel("m", "v", task, path, 1, "d", 8192)


@pytest.fixture
def gguf(tmp_path: Path) -> StoredModel:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    return model(path)


@pytest.fixture
def embedder(tmp_path: Path) -> StoredModel:
    (tmp_path / "model.onnx").touch()
    (tmp_path / "tokenizer.json").touch()
    return model(tmp_path, Task.EMBEDDING)


def test_all_engines_plug_in_by_entry_points() -> None:
    engines = load_engines()
    assert {"openvino", "openvino-embeddings", "llamacpp", "echo", "vllm"} <= set(engines)
    assert all(engine.name == name for name, engine in engines.items())


def test_echo_takes_everything(gguf: StoredModel, embedder: StoredModel) -> None:
    assert Echo().refusal(gguf) is None
    assert Echo().refusal(embedder) is None


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (header("llama", "F32", "Q4_1", "Q6_K"), None),
        (header("qwen2", "Q8_0", "F16"), None),
        (header("qwen3", "Q4_K"), None),
        (header("gemma3", "Q4_K"), "knows the architectures llama, qwen2, qwen3, not gemma3"),
        (header("qwen2", "Q5_0", "Q8_0", "Q5_K"), "tensor types Q5_0, Q5_K"),
        (header("llama", "Q8_0", tokenizer="llama"), "not 'llama'"),
        (header("llama", "Q8_0", tensors=("rope_freqs.weight",)), "rope_freqs"),
    ],
)
def test_openvino_refuses_what_its_reader_does_not_know(
    gguf: StoredModel, monkeypatch: pytest.MonkeyPatch, of: GgufHeader, words: str | None
) -> None:
    monkeypatch.setattr(openvino_module, "read_header", lambda _path: of)
    refusal = OpenVino().refusal(gguf)
    if words is None:
        assert refusal is None
    else:
        assert words in (refusal or "")


def test_openvino_refuses_what_is_no_chat_model_in_gguf(
    gguf: StoredModel, embedder: StoredModel, tmp_path: Path
) -> None:
    assert "for embedding" in (OpenVino().refusal(embedder) or "")
    assert "loads .gguf files" in (OpenVino().refusal(model(tmp_path)) or "")
    assert "truncated or damaged" in (OpenVino().refusal(gguf) or "")
    gguf.path.write_bytes(b"text")
    assert "not a GGUF file" in (OpenVino().refusal(gguf) or "")
    gguf.path.unlink()
    assert "No such file" in (OpenVino().refusal(gguf) or "")


def test_llamacpp_takes_any_gguf(gguf: StoredModel, embedder: StoredModel) -> None:
    assert LlamaCpp().refusal(gguf) is None
    assert LlamaCpp().refusal(dataclasses.replace(gguf, task=Task.EMBEDDING)) is None
    assert "for rerank" in (LlamaCpp().refusal(dataclasses.replace(gguf, task=Task.RERANK)) or "")
    assert "loads .gguf files" in (LlamaCpp().refusal(embedder) or "")


def test_embeddings_need_onnx_and_a_tokenizer(gguf: StoredModel, embedder: StoredModel) -> None:
    engine = OpenVinoEmbeddings()
    assert engine.refusal(embedder) is None
    assert "for chat" in (engine.refusal(gguf) or "")
    (embedder.path / "tokenizer.json").unlink()
    assert "no tokenizer.json" in (engine.refusal(embedder) or "")
    (embedder.path / "model.onnx").unlink()
    assert "with a .onnx file" in (engine.refusal(embedder) or "")


@pytest.mark.parametrize(
    ("engine", "module"),
    [
        (Echo(), "echo"),
        (LlamaCpp(), "llamacpp"),
        (OpenVino(), "openvino"),
        (OpenVinoEmbeddings(), "openvino_embeddings"),
    ],
)
def test_our_workers_are_told_everything(engine: Engine, module: str, gguf: StoredModel) -> None:
    options = {"threads": 3, "variant": "x", "force": True, "context_length": 100, "cache_gb": 2}
    argv = engine.command(Launch(gguf, 4242, 3, options))
    assert argv[:3] == [sys.executable, "-m", f"headstart.serving.workers.{module}"]
    told = dict(zip(argv[3::2], argv[4::2], strict=True))
    assert told["--port"] == "4242"
    assert told["--threads"] == "3"
    assert told["--context-length"] == "100"
    assert told["--model"] == str(gguf.path)
    assert json.loads(told["--options"]) == {"cache_gb": 2}
    assert all(type(argument) is str for argument in argv)


def test_a_context_is_never_longer_than_the_models(gguf: StoredModel) -> None:
    argv = Echo().command(Launch(gguf, 1, 1, {"context_length": 10**9}))
    assert argv[argv.index("--context-length") + 1] == "8192"


def test_vllms_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = model(tmp_path)
    assert "not installed" in (Vllm().refusal(stored) or "")
    monkeypatch.setattr(vllm_module, "_program", lambda: "/bin/vllm")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert "no NVIDIA GPU" in (Vllm().refusal(stored) or "")
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    assert "config.json" in (Vllm().refusal(stored) or "")
    (tmp_path / "config.json").touch()
    assert Vllm().refusal(stored) is None
    argv = Vllm().command(Launch(stored, 4242, 2, {"gpu_memory_utilization": 0.5}))
    assert argv[:3] == ["/bin/vllm", "serve", str(tmp_path)]
    assert " ".join(argv[3:]) == (
        "--host 127.0.0.1 --port 4242 --served-model-name m --max-model-len 8192 "
        "--gpu-memory-utilization 0.5"
    )


def test_auto_takes_the_fastest_and_says_why_not_others(
    gguf: StoredModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_module, "read_header", lambda _path: header("gemma3", "Q4_K"))
    choices = choose(gguf, "auto", load_engines())
    assert [choice.engine.name for choice in choices] == ["llamacpp"]
    assert "not gemma3" in choices[0].reason
    monkeypatch.setattr(openvino_module, "read_header", lambda _path: header("llama", "Q4_1"))
    choices = choose(gguf, "auto", load_engines())
    assert [choice.engine.name for choice in choices] == ["openvino", "llamacpp"]
