"""How large a model's key-value cache is, and the context that a given amount of memory holds."""

from __future__ import annotations

import logging

from headstart.errors import BadRequest
from headstart.hub.gguf_header import GgufHeader

log = logging.getLogger(__name__)

_LEAST_CONTEXT = 256


def bytes_per_token(header: GgufHeader, bytes_per_value: float) -> float:
    """Memory of one token's keys and values in all layers."""
    layers = header.of_architecture("block_count")
    heads = header.of_architecture("attention.head_count")
    width = header.of_architecture("embedding_length")
    if not (layers and heads and width):
        raise BadRequest(f"{header.path} does not say how many layers and heads the model has")
    kv_heads = header.of_architecture("attention.head_count_kv") or heads
    key = header.of_architecture("attention.key_length") or width // heads
    value = header.of_architecture("attention.value_length") or width // heads
    return layers * kv_heads * (key + value) * bytes_per_value


def capacity(header: GgufHeader, cache_gb: float, bytes_per_value: float) -> int:
    """Tokens that a cache of this size holds."""
    return int(cache_gb * 2**30 / bytes_per_token(header, bytes_per_value))


def fitting_context(room: int, context_length: int, cache_gb: float) -> int:
    """The context in tokens: what was asked for, or less where a cache of `room` is smaller."""
    if room < _LEAST_CONTEXT:
        raise BadRequest(
            f"a KV cache of {cache_gb} GB holds {room} tokens of this model; "
            "give the endpoint a larger option 'cache_gb'"
        )
    if room < context_length:
        log.warning(
            "the context is %d tokens, not %d: a KV cache of %s GB holds no more "
            "(option 'cache_gb')",
            room,
            context_length,
            cache_gb,
        )
    return min(room, context_length)
