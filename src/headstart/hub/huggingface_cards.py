"""Cards of models that are named by their Hugging Face repository, not by the catalogue.

What a repository states (its pipeline, licence, languages, GGUF or safetensors facts) fills the
card; each quantization of a GGUF repository is a variant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headstart.errors import BadRequest
from headstart.hub.cards import Card, HuggingFaceSource, Task, Variant
from headstart.hub.local import guess_task, quantization

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo, RepoSibling

_NAME = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:/([\w./-]+))?(?:@([\w./-]+))?")
_TASKS = {
    "text2text-generation": Task.SEQ2SEQ,
    "sentence-similarity": Task.EMBEDDING,
    "feature-extraction": Task.EMBEDDING,
    "text-ranking": Task.RERANK,
    "text-generation": Task.CHAT,
}
# Which quantization to take when none is named: the usual balance first.
_PREFERRED = ("Q4_K_M", "Q4_K_S", "Q4_0", "Q5_K_M", "Q8_0")
_BESIDE_WEIGHTS = re.compile(
    r"config\.json|tokenizer.*|special_tokens_map\.json|vocab\.\w+|merges\.txt|spiece\.model|"
    r"generation_config\.json|modules\.json|sentence_bert_config\.json|1_Pooling/config\.json|"
    r"sentencepiece\.bpe\.model|chat_template\.\w+|model\.safetensors\.index\.json"
)
_UNKNOWN_CONTEXT = 2048


@dataclass(frozen=True, slots=True)
class Reference:
    """A name of the form `hf:org/repo[/file.gguf][@revision]`."""

    name: str
    repo: str
    file: str | None
    revision: str

    @classmethod
    def parse(cls, name: str) -> Reference:
        match = _NAME.fullmatch(name)
        if match is None:
            raise BadRequest(
                f"{name!r} is not of the form hf:org/repo, hf:org/repo/file.gguf or "
                "hf:org/repo@revision.",
                param="model",
            )
        repo, file, revision = match.groups()
        return cls(name, repo, file, revision or "main")


def card_of(reference: Reference, info: ModelInfo) -> Card:
    """The card of a repository, or of the one file of it that the reference names."""
    data = info.card_data
    gguf = getattr(info, "gguf", None) or {}
    safetensors = getattr(info, "safetensors", None)
    variants = _variants(reference, info.siblings or [])
    if not variants:
        raise BadRequest(
            f"{reference.repo} has no weights that Headstart reads (.gguf, .onnx, .safetensors).",
            param="model",
        )
    languages = getattr(data, "language", None) or []
    return Card(
        name=reference.name,
        title=reference.repo.split("/")[1],
        description=f"From the Hugging Face repository {reference.repo}.",
        task=_TASKS.get(info.pipeline_tag or "") or guess_task(" ".join(info.tags or [])),
        family=str(gguf.get("architecture") or reference.repo.split("/")[1]),
        architecture=gguf.get("architecture"),
        parameters=int(gguf.get("total") or (safetensors.total if safetensors else 0)),
        license=str(getattr(data, "license", None) or "unknown"),
        context_length=int(gguf.get("context_length") or _UNKNOWN_CONTEXT),
        languages=[languages] if isinstance(languages, str) else list(languages),
        fine_tunable=False,
        homepage=f"https://huggingface.co/{reference.repo}",
        variants=variants,
    )


def _variants(reference: Reference, files: list[RepoSibling]) -> list[Variant]:
    if reference.file is not None:
        files = [file for file in files if file.rfilename == reference.file]
        if not files:
            raise BadRequest(f"{reference.repo} has no file {reference.file!r}.", param="model")
    ggufs = [f for f in files if f.rfilename.endswith(".gguf") and "mmproj" not in f.rfilename]
    if ggufs:
        return _gguf_variants(reference, ggufs)
    return [
        variant
        for variant in (_onnx_variant(reference, files), _safetensors_variant(reference, files))
        if variant is not None
    ]


def _gguf_variants(reference: Reference, files: list[RepoSibling]) -> list[Variant]:
    groups: dict[str, list[RepoSibling]] = {}
    for file in files:
        groups.setdefault(quantization(file.rfilename) or file.rfilename, []).append(file)

    def rank(name: str) -> int:
        return _PREFERRED.index(name) if name in _PREFERRED else len(_PREFERRED)

    return [
        Variant(
            name=name,
            format="gguf",
            bytes=_bytes(groups[name]),
            sources=[_source(reference, groups[name])],
        )
        for name in sorted(groups, key=rank)
    ]


def _onnx_variant(reference: Reference, files: list[RepoSibling]) -> Variant | None:
    onnx = [f for f in files if f.rfilename in ("model.onnx", "onnx/model.onnx")][:1]
    if not onnx:
        return None
    source = _source(reference, onnx + _beside(files)).model_copy(update={"strip_prefix": "onnx/"})
    return Variant(name="onnx", format="onnx", bytes=_bytes(onnx), sources=[source])


def _safetensors_variant(reference: Reference, files: list[RepoSibling]) -> Variant | None:
    weights = [f for f in files if re.fullmatch(r"model[\w-]*\.safetensors", f.rfilename)]
    if not weights:
        return None
    source = _source(reference, weights + _beside(files))
    return Variant(
        name="safetensors", format="safetensors", bytes=_bytes(weights), sources=[source]
    )


def _beside(files: list[RepoSibling]) -> list[RepoSibling]:
    return [file for file in files if _BESIDE_WEIGHTS.fullmatch(file.rfilename)]


def _source(reference: Reference, files: list[RepoSibling]) -> HuggingFaceSource:
    names = [file.rfilename for file in files]
    return HuggingFaceSource(
        kind="hf", repo=reference.repo, revision=reference.revision, files=names
    )


def _bytes(files: list[RepoSibling]) -> int:
    return max(1, sum(file.size or 0 for file in files))
