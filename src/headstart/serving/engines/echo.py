"""`echo`: the deterministic engine without weights, for tests, demos and trying out an app."""

from __future__ import annotations

from headstart.hub.stored import StoredModel
from headstart.serving.engines.base import Engine, Launch, worker_command


class Echo(Engine):
    name = "echo"
    answers_whole = True
    unsupported = frozenset({"logit_bias", "suffix"})

    def refusal(self, model: StoredModel) -> str | None:
        return None

    def command(self, launch: Launch) -> list[str]:
        return worker_command("echo", launch)
