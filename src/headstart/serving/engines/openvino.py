"""`openvino`: OpenVINO GenAI on the CPU, the fastest here where its GGUF reader knows the model."""

from __future__ import annotations

from headstart.errors import BadRequest
from headstart.hub.cards import Task
from headstart.hub.gguf_header import GgufHeader, read_header
from headstart.hub.stored import StoredModel
from headstart.serving.engines.base import Engine, Launch, worker_command

_ARCHITECTURES = ("llama", "qwen2", "qwen3")
_TENSOR_TYPES = frozenset({"F32", "F16", "Q4_0", "Q4_1", "Q4_K", "Q6_K", "Q8_0"})
_TOKENIZERS = ("gpt2",)  # ggml's name for byte-level BPE
_ROPE_FACTORS = "rope_freqs.weight"


class OpenVino(Engine):
    name = "openvino"
    answers_whole = True
    unsupported = frozenset({"logit_bias", "suffix"})

    def refusal(self, model: StoredModel) -> str | None:
        if model.task != Task.CHAT:
            return f"it serves chat models, and this one is for {model.task}"
        if model.path.suffix != ".gguf":
            return f"it loads .gguf files, and {model.path.name} is none"
        try:
            return _refusal_of(read_header(model.path))
        except (BadRequest, OSError) as error:
            return str(error)

    def command(self, launch: Launch) -> list[str]:
        return worker_command("openvino", launch)


def _refusal_of(header: GgufHeader) -> str | None:
    if header.architecture not in _ARCHITECTURES:
        return (
            f"its GGUF reader knows the architectures {', '.join(_ARCHITECTURES)}, "
            f"not {header.architecture}"
        )
    strange = header.types - _TENSOR_TYPES
    if strange:
        return f"its GGUF reader does not know the tensor types {', '.join(sorted(strange))}"
    tokenizer = header.metadata.get("tokenizer.ggml.model")
    if tokenizer not in _TOKENIZERS:
        return f"its GGUF reader knows byte-level BPE tokenizers, not '{tokenizer}'"
    if any(tensor.name == _ROPE_FACTORS for tensor in header.tensors):
        return "its GGUF reader ignores the model's scaled positions (rope_freqs)"
    return None
