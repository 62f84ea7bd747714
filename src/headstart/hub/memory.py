"""How much memory a model takes while it serves, estimated before it is here.

    llama.cpp    weights + KV cache + 100 MB
    OpenVINO     2 x weights + KV cache + 200 MB
    CTranslate2  weights as int8 + KV cache + 200 MB

KV cache of a 4,096-token context in half precision: 2 (keys, values) x layers x KV heads x head
size x 2 bytes x 4,096. The constants are fits to what workers were measured to hold after an
answer: SmolLM2-135M 259 MB (llama.cpp) and 409 MB (OpenVINO), Qwen2.5-Coder-0.5B 826 MB and
1,506 MB, MiniLM int8 131 MB. OpenVINO unpacks a file's tensors beside the mapped file, hence the 2.
Machines differ; the estimate is for choosing a model, not for sizing a server to the megabyte.
"""

from __future__ import annotations

from headstart.hub.cards import Attention, Card, Task, Variant
from headstart.hub.requantize import ARCHITECTURES

CONTEXT = 4096
_MB = 1_000_000


def with_memory(card: Card) -> Card:
    """The card with the memory of each variant filled in."""
    variants = [
        variant.model_copy(update={"memory": _by_engine(card, variant)})
        for variant in card.variants
    ]
    return card.model_copy(update={"variants": variants})


def kv_cache(attention: Attention | None, tokens: int) -> int:
    """Bytes of the keys and values of that many tokens, in half precision."""
    if attention is None:
        return 0
    return 2 * attention.layers * attention.kv_heads * attention.head_dim * 2 * tokens


def _by_engine(card: Card, variant: Variant) -> dict[str, int]:
    weights = variant.stored_bytes or variant.bytes
    cache = kv_cache(card.attention, min(CONTEXT, card.context_length))
    openvino = 2 * weights + cache + 200 * _MB
    if variant.format == "onnx":
        return {"openvino-embeddings": openvino} if card.task is Task.EMBEDDING else {}
    if variant.format == "safetensors":
        int8 = card.parameters + cache + 200 * _MB
        return {"ctranslate2": int8} if card.task is Task.SEQ2SEQ else {}
    llamacpp = {"llamacpp": weights + cache + 100 * _MB}
    if card.task is Task.CHAT and card.architecture in ARCHITECTURES:
        return {"openvino": openvino, **llamacpp}
    return llamacpp
