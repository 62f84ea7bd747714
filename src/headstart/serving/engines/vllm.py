"""`vllm`: vLLM's own server on NVIDIA GPUs, installed with the extra `gpu`.

vLLM speaks the protocol of workers as it is, except for `/apply-template`: records of its answers
have the messages and no rendered prompt.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from headstart.hub.cards import Task
from headstart.hub.stored import StoredModel
from headstart.serving.engines.base import Engine, Launch, context_length


class Vllm(Engine):
    name = "vllm"

    def refusal(self, model: StoredModel) -> str | None:
        if _program() is None:
            return "vLLM is not installed; install headstart[gpu] on a machine with an NVIDIA GPU"
        if shutil.which("nvidia-smi") is None:
            return "there is no NVIDIA GPU on this machine"
        if model.task not in (Task.CHAT, Task.EMBEDDING):
            return f"it does not serve models for {model.task}"
        if not (model.path / "config.json").is_file():
            return "it loads a folder in Hugging Face's format, with a config.json"
        return None

    def command(self, launch: Launch) -> list[str]:
        argv = [
            _program() or "vllm",
            "serve",
            str(launch.model.path),
            *("--host", "127.0.0.1"),
            *("--port", str(launch.port)),
            *("--served-model-name", launch.model.name),
            *("--max-model-len", str(context_length(launch))),
        ]
        if launch.model.task == Task.EMBEDDING:
            argv += ["--runner", "pooling"]
        if (memory := launch.options.get("gpu_memory_utilization")) is not None:
            argv += ["--gpu-memory-utilization", str(memory)]
        return argv


def _program() -> str | None:
    """`vllm` beside this Python, or on the path."""
    beside = Path(sys.executable).with_name("vllm")
    return str(beside) if beside.is_file() else shutil.which("vllm")
