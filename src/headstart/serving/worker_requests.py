"""What a worker is sent: OpenAI's request bodies without what is ours, and with text only."""

from __future__ import annotations

from typing import Any

from headstart.errors import BadRequest
from headstart.serving.engines.base import Engine
from headstart.serving.requests import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Message,
    Sampling,
)

_OURS = {"model", "stream", "stream_options", "user", "store"}
_CHAT_OURS = _OURS | {"metadata", "conversation", "regenerates"}
_REPLACED = {"messages", "max_tokens", "max_completion_tokens"}
_NEUTRAL: dict[str, tuple[Any, ...]] = {  # values that ask for nothing, besides a field's default
    "temperature": (1,),
    "top_p": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True,),
    "best_of": (1,),
    "stop": ([],),
    "suffix": ("",),
}


def chat_body(request: ChatRequest) -> dict[str, Any]:
    body: dict[str, Any] = request.model_dump(
        exclude=_CHAT_OURS | _REPLACED, exclude_defaults=True, by_alias=True
    )
    body["messages"] = plain_messages(request.messages)
    if request.token_limit is not None:
        body["max_tokens"] = request.token_limit
    return body


def completion_body(request: CompletionRequest) -> dict[str, Any]:
    return request.model_dump(exclude=_OURS, exclude_defaults=True)


def embedding_body(request: EmbeddingRequest) -> dict[str, Any]:
    return request.model_dump(exclude={"model", "store", "user"}, exclude_none=True)


def plain_messages(messages: list[Message]) -> list[dict[str, Any]]:
    """Messages as chat templates know them: text, and the fields that a template may look at."""
    plain: list[dict[str, Any]] = []
    for index, message in enumerate(messages):
        if isinstance(message.content, list):
            _refuse_unless_text(index, message)
        role = "system" if message.role == "developer" else message.role
        shape: dict[str, Any] = {"role": role, "content": message.text}
        for name in ("name", "tool_calls", "tool_call_id"):
            if (value := getattr(message, name)) is not None:
                shape[name] = value
        plain.append(shape)
    return plain


def _refuse_unless_text(index: int, message: Message) -> None:
    for part in message.content or []:
        if not isinstance(part, str) and part.type != "text":
            raise BadRequest(
                f"messages[{index}]: content of type '{part.type}' is not supported; this model "
                "reads text only",
                param=f"messages[{index}].content",
                code="unsupported_content",
            )


def refuse_unsupported(engine: Engine, request: Sampling | EmbeddingRequest) -> None:
    """Refuse, by name, a parameter that asks for what the engine cannot do."""
    fields = type(request).model_fields
    for name in engine.unsupported:
        if name not in request.model_fields_set or name not in fields:
            continue
        value = getattr(request, name)
        if value is None or value == fields[name].default or value in _NEUTRAL.get(name, ()):
            continue
        raise BadRequest(
            f"'{name}' is not supported by the engine '{engine.name}', which serves this model. "
            "Leave it out, or deploy the model with another engine.",
            param=name,
            code="unsupported_parameter",
        )
