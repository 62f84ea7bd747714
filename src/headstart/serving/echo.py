"""The model of the `echo` engine: it has no weights, so the hub need not know it."""

from __future__ import annotations

import os
from pathlib import Path

from headstart.hub.cards import Task
from headstart.hub.stored import StoredModel

ECHO = "echo"  # the engine, and the model name that stands for it
_CONTEXT_LENGTH = 4096


def is_echo(model: str, engine: str) -> bool:
    """Whether a deployment needs no weights: with this engine, any model name will do."""
    return ECHO in (model, engine)


def echo_model(name: str = ECHO) -> StoredModel:
    return StoredModel(
        name=name,
        variant=ECHO,
        task=Task.CHAT,
        path=Path(os.devnull),
        bytes=0,
        digest=ECHO,
        context_length=_CONTEXT_LENGTH,
    )


def does_everything(model: StoredModel) -> bool:
    """Whether it chats and embeds: what other models do follows from their task."""
    return model.digest == ECHO
