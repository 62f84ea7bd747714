"""`llamacpp`: llama.cpp, for every GGUF file and for machines that OpenVINO does not know."""

from __future__ import annotations

from headstart.hub.cards import Task
from headstart.hub.stored import StoredModel
from headstart.serving.engines.base import Engine, Launch, worker_command


class LlamaCpp(Engine):
    name = "llamacpp"

    def refusal(self, model: StoredModel) -> str | None:
        if model.path.suffix != ".gguf":
            return f"it loads .gguf files, and {model.path.name} is none"
        if model.task not in (Task.CHAT, Task.EMBEDDING):
            return f"it does not serve models for {model.task}"
        return None

    def command(self, launch: Launch) -> list[str]:
        return worker_command("llamacpp", launch)
