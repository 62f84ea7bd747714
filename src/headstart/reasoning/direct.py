"""The plain strategy: one call of the endpoint, streamed through as it comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, ClassVar, cast

from openai.types.chat import ChatCompletionChunk

from headstart.reasoning.base import Strategy
from headstart.serving.base import Call, Endpoint
from headstart.serving.requests import ChatRequest


class Direct(Strategy):
    name: ClassVar[str] = "direct"

    async def reason(
        self, call: Call, request: ChatRequest, endpoint: Endpoint
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        async with aclosing(cast(AsyncGenerator[Any], endpoint.chat(call, request))) as chunks:
            async for chunk in chunks:
                yield chunk
