"""`/v1/chat/completions`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from fastapi import APIRouter, Request, Response
from openai.types.chat import ChatCompletion

from headstart.api.deps import CurrentPrincipal, CurrentServices
from headstart.api.direct import Direct
from headstart.api.ids import new_call_id
from headstart.api.sse import EventStream, while_connected
from headstart.serving.base import Call, Endpoint
from headstart.serving.requests import ChatRequest

router = APIRouter(tags=["chat"], route_class=Direct)


@router.post("/v1/chat/completions", response_model=ChatCompletion)
async def create_chat_completion(
    request: Request, body: ChatRequest, principal: CurrentPrincipal, services: CurrentServices
) -> Response:
    """Answer a chat with a model or an app; `stream: true` streams it."""
    endpoint = services.models.resolve(body.model)
    call = Call(id=new_call_id("chatcmpl"), principal=principal)
    if body.stream:
        return await EventStream.open(request, _payloads(endpoint, call, body))
    completion = await while_connected(request.receive, endpoint.answer(call, body))
    return Response(completion.model_dump_json(exclude_unset=True), media_type="application/json")


async def _payloads(endpoint: Endpoint, call: Call, body: ChatRequest) -> AsyncIterator[bytes]:
    wants_usage = body.stream_options is not None and body.stream_options.include_usage
    async with aclosing(endpoint.chat(call, body)) as chunks:
        async for chunk in chunks:
            if chunk.choices or wants_usage:
                yield chunk.model_dump_json(exclude_unset=True).encode()
