"""`openvino-embeddings`: sentence embedders in ONNX form through OpenVINO."""

from __future__ import annotations

from headstart.hub.cards import Task
from headstart.hub.stored import StoredModel
from headstart.serving.engines.base import Engine, Launch, worker_command

TOKENIZER = "tokenizer.json"


class OpenVinoEmbeddings(Engine):
    name = "openvino-embeddings"
    unsupported = frozenset({"dimensions"})

    def refusal(self, model: StoredModel) -> str | None:
        if model.task != Task.EMBEDDING:
            return f"it serves embedding models, and this one is for {model.task}"
        if not model.path.is_dir() or not any(model.path.glob("*.onnx")):
            return f"it loads a folder with a .onnx file, and {model.path.name} is none"
        if not (model.path / TOKENIZER).is_file():
            return f"there is no {TOKENIZER} beside the .onnx file"
        return None

    def command(self, launch: Launch) -> list[str]:
        return worker_command("openvino_embeddings", launch)
