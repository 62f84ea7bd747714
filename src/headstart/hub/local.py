"""Models that lie on this machine already: registered by reference, never copied or changed.

A .gguf file tells its own architecture and context length; a folder is read by its `config.json`
(Hugging Face format: safetensors, or ONNX beside a tokenizer).
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from headstart.errors import BadRequest, Conflict
from headstart.hub.cards import Card, OtherSource, Task, Variant
from headstart.hub.gguf_header import read_header
from headstart.hub.store import Manifest

_DEFAULT_CONTEXT = 2048
_QUANTIZATION = re.compile(r"(?i)(?<![a-z0-9])(I?Q\d(?:_[A-Z0-9]+)*|BF16|F16|F32)(?![a-z0-9])")
# Words in a model's architecture or name that tell its task; the first that fits decides.
_TASKS: tuple[tuple[str, Task], ...] = (
    (r"rerank|sequenceclassification", Task.RERANK),
    (r"conditionalgeneration|flan|(^|\W)m?t5", Task.SEQ2SEQ),
    (r"bert|embed|minilm|(^|\W)(bge|e5|gte)\W|sentence", Task.EMBEDDING),
)


@dataclass(frozen=True, slots=True)
class LocalModel:
    """What can be told of a model from its files."""

    title: str
    task: Task
    format: Literal["gguf", "onnx", "safetensors"]
    variant: str
    architecture: str | None
    context_length: int
    parameters: int
    files: dict[str, int]


def local_manifest(path: Path, name: str | None, taken: set[str]) -> Manifest:
    """The manifest that registers `path`. `name` defaults to what the model calls itself."""
    path = path.expanduser().resolve()
    if not path.exists():
        raise BadRequest(f"No file or folder at {path}.", param="path")
    model = _read_folder(path) if path.is_dir() else _read_gguf(path)
    if name is None:
        name = _slug(model.title)
        name = f"local-{name}" if name in taken else name
    elif _slug(name) != name or name in taken:
        why = "is a model of the catalogue" if name in taken else "is not a plain lower-case name"
        raise Conflict(f"{name!r} {why}; choose another with --name.", param="name")
    return Manifest(
        name=name,
        variant=model.variant,
        task=model.task,
        format=model.format,
        path=str(path),
        bytes=sum(model.files.values()),
        digest="",
        context_length=model.context_length,
        architecture=model.architecture,
        source=f"local ({path})",
        pulled_at=int(time.time()),
        files=model.files,
        card=_card(name, path, model),
    )


def _read_gguf(path: Path) -> LocalModel:
    header = read_header(path)
    title = header.name or path.stem
    return LocalModel(
        title=title,
        task=guess_task(f"{header.architecture} {title}"),
        format="gguf",
        variant=quantization(path.stem) or "gguf",
        architecture=header.architecture,
        context_length=header.context_length or _DEFAULT_CONTEXT,
        parameters=header.parameters,
        files={path.name: path.stat().st_size},
    )


def _read_folder(path: Path) -> LocalModel:
    weights = {
        file.relative_to(path).as_posix(): file.stat().st_size
        for suffix in ("*.safetensors", "*.onnx")
        for file in sorted(path.rglob(suffix))
    }
    if not weights or not (path / "config.json").is_file():
        raise BadRequest(
            f"{path} is no model folder: it needs a config.json and weights in .safetensors or "
            ".onnx files. A .gguf file is added by its own path.",
            param="path",
        )
    config = _config(path / "config.json")
    architecture = str((config.get("architectures") or [config.get("model_type")])[0])
    kind: Literal["onnx", "safetensors"] = (
        "safetensors" if next(iter(weights)).endswith(".safetensors") else "onnx"
    )
    return LocalModel(
        title=path.name,
        task=guess_task(f"{architecture} {path.name}"),
        format=kind,
        variant=kind,
        architecture=architecture,
        context_length=folder_context(path) or _DEFAULT_CONTEXT,
        parameters=sum(weights.values()) // 2,
        files=weights,
    )


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadRequest(f"{path} cannot be read: {error}", param="path") from error
    if not isinstance(config, dict):
        raise BadRequest(f"{path} is not a JSON object.", param="path")
    return config


def folder_context(folder: Path) -> int | None:
    """The context length that a folder in Hugging Face format states, if it does."""
    for name, keys in (
        ("sentence_bert_config.json", ("max_seq_length",)),
        ("config.json", ("max_position_embeddings", "n_positions")),
    ):
        config = _config(folder / name) if (folder / name).is_file() else {}
        for key in keys:
            if isinstance(config.get(key), int):
                return int(config[key])
    return None


def guess_task(words: str) -> Task:
    """A model's task by its architecture and name; chat when nothing says otherwise."""
    for pattern, task in _TASKS:
        if re.search(pattern, words.casefold()):
            return task
    return Task.CHAT


def quantization(filename: str) -> str | None:
    """The quantization that a file is named for: "x-q4_k_m-00001-of-00002" → "Q4_K_M"."""
    found = re.findall(
        r"(?i)(?<![a-z0-9])(I?Q\d(?:_[A-Z0-9]+)*|BF16|F16|F32)(?![a-z0-9])", filename
    )
    return found[-1].upper() if found else None


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9._]+", "-", text.casefold()).strip("-._")[:64] or "model"


def _card(name: str, path: Path, model: LocalModel) -> Card:
    source = OtherSource.model_validate({"kind": "local", "path": str(path)})
    size = sum(model.files.values())
    return Card(
        name=name,
        title=model.title,
        description=f"Registered from {path}.",
        task=model.task,
        family=model.architecture or "unknown",
        architecture=model.architecture,
        parameters=model.parameters,
        license="unknown",
        context_length=model.context_length,
        languages=[],
        fine_tunable=False,
        homepage="",
        variants=[Variant(name=model.variant, format=model.format, bytes=size, sources=[source])],
    )
