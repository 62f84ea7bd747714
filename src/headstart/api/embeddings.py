"""`/v1/embeddings`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from openai.types import CreateEmbeddingResponse

from headstart.api.deps import CurrentPrincipal, CurrentServices
from headstart.api.direct import Direct
from headstart.api.ids import new_call_id
from headstart.api.sse import while_connected
from headstart.serving.base import Call
from headstart.serving.requests import EmbeddingRequest

router = APIRouter(tags=["embeddings"], route_class=Direct)


@router.post("/v1/embeddings", response_model=CreateEmbeddingResponse)
async def create_embeddings(
    request: Request, body: EmbeddingRequest, principal: CurrentPrincipal, services: CurrentServices
) -> Response:
    endpoint = services.models.resolve(body.model)
    call = Call(id=new_call_id("embd"), principal=principal)
    answer = await while_connected(request.receive, endpoint.embed(call, body))
    # base64 vectors are strings where the type says floats, as with OpenAI itself
    return Response(answer.model_dump_json(warnings=False), media_type="application/json")
