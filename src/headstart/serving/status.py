"""What an endpoint is doing, as the API and the CLI show it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field


class State(StrEnum):
    PULLING = "pulling"  # its model is being fetched
    STARTING = "starting"  # its worker is loading the model, or coming back after a crash
    READY = "ready"
    IDLE = "idle"  # nobody called for a while; the next call starts its worker again
    STOPPING = "stopping"
    FAILED = "failed"  # `error` says why; it is tried again at growing intervals


class Progress(BaseModel):
    """How far a pull is, in the unit of its stage (bytes, or parts of a conversion)."""

    stage: str
    done: int
    total: int | None


class EndpointStatus(BaseModel):
    """A deployed model and what its worker is doing."""

    id: str
    object: Literal["endpoint"] = "endpoint"
    name: str = Field(description="The model name in API calls.")
    model: str
    variant: str | None
    task: str | None
    engine: str | None = Field(description="The engine that serves it, once known.")
    requested_engine: str
    engine_reason: str | None = Field(description="Why this engine.")
    status: State
    progress: Progress | None
    error: str | None
    pid: int | None = Field(description="Of the worker process, while there is one.")
    memory_bytes: int | None = Field(description="Resident memory of the worker.")
    context_length: int | None
    idle_timeout: float | None = Field(description="Seconds without a call; null: never stops.")
    restarts: int = Field(description="How often its worker had to be started again.")
    created_at: int
