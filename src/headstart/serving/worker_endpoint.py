"""`WorkerEndpoint`: an endpoint whose answers come from a worker process on this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from openai.types import Completion, CompletionUsage, CreateEmbeddingResponse
from openai.types.chat import ChatCompletionChunk
from pydantic_core import from_json, to_json

from headstart import __version__
from headstart.errors import BadRequest, HeadstartError, Unavailable
from headstart.hub.cards import Task
from headstart.hub.stored import StoredModel
from headstart.serving import worker_client
from headstart.serving.base import Call, Endpoint
from headstart.serving.metrics import EndpointMetrics
from headstart.serving.replica import Replica
from headstart.serving.requests import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Message,
    Sampling,
)
from headstart.serving.supervisor import Supervisor

_OURS = {"model", "stream", "stream_options", "user", "store", "metadata", "conversation"}
_CHAT_OURS = _OURS | {"regenerates", "messages", "max_completion_tokens", "max_tokens"}
_TEMPLATED = ("messages", "tools", "tool_choice")
_A_MODEL = {
    Task.CHAT: "a chat model",
    Task.SEQ2SEQ: "a text-to-text model",
    Task.EMBEDDING: "an embedding model",
    Task.RERANK: "a reranker",
}
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
}
_PROMPT_LIMIT = 5.0  # seconds for the record's prompt, which the end of the answer waits for
_NOTICE = 0.2  # seconds until the end of a process is known after its connection broke
_STALE = 0.05  # seconds in which a connection breaks that had been dead before


log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Exchange:
    replica: Replica
    response: aiohttp.ClientResponse


class WorkerEndpoint(Endpoint):
    """Speaks to whichever worker the supervisor has, and starts one that was stopped for idleness.

    A call that cannot connect waits for the restart. A call whose worker dies under it fails with
    `Unavailable`: repeating it could kill the next worker too.
    """

    def __init__(
        self,
        name: str,
        supervisor: Supervisor,
        http: aiohttp.ClientSession,
        metrics: EndpointMetrics,
    ) -> None:
        self.name = name
        self.model: StoredModel | None = None  # known once it is here
        self._supervisor = supervisor
        self._http = http
        self._metrics = metrics

    @property
    def context_length(self) -> int:
        length = self._supervisor.context_length
        if length is not None:
            return length
        if self.model is not None:
            return self.model.context_length
        raise Unavailable(f"The context length of '{self.name}' is known once its model is here.")

    async def chat(
        self, call: Call, request: ChatRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        self._require("/v1/chat/completions", Task.CHAT, Task.SEQ2SEQ)
        body: dict[str, Any] = request.model_dump(
            exclude=_CHAT_OURS, exclude_defaults=True, by_alias=True
        )
        body["messages"] = plain_messages(request.messages)
        if request.token_limit is not None:
            body["max_tokens"] = request.token_limit
        created, usage, first = int(call.created_at), None, True
        async with self._stream(call, request, "v1/chat/completions", body) as payloads:
            async for payload in payloads:
                if first:
                    first = False
                    self._metrics.first_token.observe(time.time() - call.created_at)
                chunk = ChatCompletionChunk.model_validate_json(payload)
                chunk.id, chunk.model, chunk.created = call.id, self.name, created
                if chunk.usage is not None:
                    usage = chunk.usage
                    if not chunk.choices:
                        continue
                    chunk.usage = None
                yield chunk
        yield ChatCompletionChunk(
            id=call.id,
            choices=[],
            created=created,
            model=self.name,
            object="chat.completion.chunk",
            usage=self._used(usage),
        )

    async def complete(
        self, call: Call, request: CompletionRequest
    ) -> AsyncGenerator[Completion, None]:
        self._require("/v1/completions", Task.CHAT, Task.SEQ2SEQ)
        body = request.model_dump(exclude=_OURS, exclude_defaults=True)
        created, usage, first = int(call.created_at), None, True
        if isinstance(request.prompt, str):
            call.trace.prompt = request.prompt
        async with self._stream(call, request, "v1/completions", body) as payloads:
            async for payload in payloads:
                if first:
                    first = False
                    self._metrics.first_token.observe(time.time() - call.created_at)
                # not validated: OpenAI's own chunks have a null `finish_reason`, its type has not
                chunk = Completion.construct(**from_json(payload))
                chunk.id, chunk.model, chunk.created = call.id, self.name, created
                if chunk.usage is not None:
                    usage = chunk.usage
                    if not chunk.choices:
                        continue
                    chunk.usage = None
                yield chunk
        yield Completion(
            id=call.id,
            choices=[],
            created=created,
            model=self.name,
            object="text_completion",
            usage=self._used(usage),
        )

    async def embed(self, call: Call, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        self._require("/v1/embeddings", Task.EMBEDDING)
        body = to_json(request.model_dump(exclude={"model", "user"}, exclude_none=True))
        async with self._exchange(call, request, "v1/embeddings", body) as exchange:
            content = await worker_client.read(exchange.response)
        if request.encoding_format == "float":
            answer = CreateEmbeddingResponse.model_validate_json(content)
        else:  # vectors are strings then, which the type does not say
            answer = CreateEmbeddingResponse.construct(**from_json(content))
        answer.model = self.name
        self._metrics.prompt_tokens.inc(answer.usage.prompt_tokens)
        return answer

    async def count_tokens(self, messages: list[Message]) -> int:
        self._require("token counts of messages", Task.CHAT, Task.SEQ2SEQ)
        replica = await self._supervisor.acquire()
        try:
            body = to_json({"messages": plain_messages(messages)})
            replica, response = await self._post(replica, "apply-template", body)
            prompt = from_json(await worker_client.read(response))["prompt"]
            body = to_json({"content": prompt, "add_special": True, "parse_special": True})
            replica, response = await self._post(replica, "tokenize", body)
            return len(from_json(await worker_client.read(response))["tokens"])
        except worker_client.Disconnected as error:
            raise await self._lost(replica) from error
        finally:
            self._supervisor.release()

    # --- one call -------------------------------------------------------------------------

    @asynccontextmanager
    async def _stream(
        self, call: Call, request: Sampling, path: str, body: dict[str, Any]
    ) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """The payloads of a streamed answer; leaving the block early aborts it in the worker."""
        body |= {"model": self.name, "stream": True, "stream_options": {"include_usage": True}}
        async with self._exchange(call, request, path, to_json(body)) as exchange:
            prompt: asyncio.Task[None] | None = None
            if "messages" in body and call.trace.keep:  # it generates now: no token is delayed
                prompt = asyncio.create_task(self._trace_prompt(call, exchange.replica, body))
            try:
                async with aclosing(worker_client.events(exchange.response)) as payloads:
                    yield payloads
            finally:
                exchange.response.close()
                if prompt is not None:
                    await prompt

    @asynccontextmanager
    async def _exchange(
        self, call: Call, request: Sampling | EmbeddingRequest, path: str, body: bytes
    ) -> AsyncIterator[_Exchange]:
        """Hold a worker, send it the request, and see how the block ends."""
        outcome = "failed"
        self._metrics.in_flight.inc()
        try:
            replica = await self._supervisor.acquire()
            try:
                self._refuse_unsupported(replica, request)
                self._trace(call, replica)
                replica, response = await self._post(replica, path, body)
                try:
                    yield _Exchange(replica, response)
                except worker_client.Disconnected as error:
                    raise await self._lost(replica) from error
                finally:
                    response.close()
            finally:
                self._supervisor.release()
            outcome = "completed"
        except (asyncio.CancelledError, GeneratorExit):
            outcome = "cancelled"
            raise
        finally:
            self._metrics.in_flight.dec()
            self._metrics.outcomes[outcome].inc()

    async def _post(
        self, replica: Replica, path: str, body: bytes
    ) -> tuple[Replica, aiohttp.ClientResponse]:
        """Send a request, and once more where the first try met a connection that was dead.

        One that breaks later may have reached a model and killed it: that is not repeated.
        """
        began = time.monotonic()
        try:
            return replica, await worker_client.post(self._http, replica.at(path), body)
        except worker_client.NotConnected:
            pass
        except worker_client.Disconnected as error:
            if time.monotonic() - began > _STALE:
                raise await self._lost(replica) from error
        await replica.ended_within(_NOTICE)
        replica = await self._supervisor.current()
        try:
            return replica, await worker_client.post(self._http, replica.at(path), body)
        except worker_client.TransportError as error:
            raise await self._lost(replica) from error

    async def _lost(self, replica: Replica) -> Unavailable:
        if await replica.ended_within(_NOTICE):
            return Unavailable(
                f"The worker of '{self.name}' ended before the answer was complete; it is being "
                f"started again. 'headstart endpoints logs {self.name}' shows its last lines."
            )
        return Unavailable(f"The connection to the worker of '{self.name}' broke; try again.")

    async def _trace_prompt(self, call: Call, replica: Replica, body: dict[str, Any]) -> None:
        """Note the prompt as the model sees it. A record without it is better than no answer."""
        seen = to_json({name: body[name] for name in _TEMPLATED if name in body})
        try:
            async with asyncio.timeout(_PROMPT_LIMIT):
                response = await worker_client.post(self._http, replica.at("apply-template"), seen)
                call.trace.prompt = from_json(await worker_client.read(response))["prompt"]
        except (HeadstartError, worker_client.TransportError, TimeoutError) as error:
            log.warning("no prompt for the record", call=call.id, why=str(error))

    def _used(self, usage: CompletionUsage | None) -> CompletionUsage:
        if usage is None:
            raise HeadstartError(f"The worker of '{self.name}' did not say how many tokens it used")
        self._metrics.prompt_tokens.inc(usage.prompt_tokens)
        self._metrics.completion_tokens.inc(usage.completion_tokens)
        return usage

    def _trace(self, call: Call, replica: Replica) -> None:
        model = replica.model
        call.trace.endpoint = self.name
        call.trace.versions |= {
            "headstart": __version__,
            "engine": replica.engine.name,
            "model": model.name,
            "variant": model.variant,
            "digest": model.digest,
        }

    # --- what it does not do --------------------------------------------------------------

    def _require(self, what: str, *tasks: Task) -> None:
        """Refuse what the model is not made for; while it is fetched, `acquire` says so."""
        if self.model is not None and self.model.task not in tasks:
            raise BadRequest(
                f"'{self.name}' is {_A_MODEL[self.model.task]}: it does not serve {what}",
                param="model",
            )

    def _refuse_unsupported(self, replica: Replica, request: Sampling | EmbeddingRequest) -> None:
        fields = type(request).model_fields
        for name in replica.engine.unsupported:
            if name not in request.model_fields_set or name not in fields:
                continue
            value = getattr(request, name)
            if value is None or value == fields[name].default or value in _NEUTRAL.get(name, ()):
                continue
            raise BadRequest(
                f"'{name}' is not supported by the engine '{replica.engine.name}' of the endpoint "
                f"'{self.name}'. Leave it out, or deploy the model with another engine.",
                param=name,
                code="unsupported_parameter",
            )


def plain_messages(messages: list[Message]) -> list[dict[str, Any]]:
    """Messages as chat templates know them: text, and the fields that a template may look at."""
    plain: list[dict[str, Any]] = []
    for index, message in enumerate(messages):
        if isinstance(message.content, list):
            for part in message.content:
                if part.type != "text":
                    raise BadRequest(
                        f"messages[{index}]: content of type '{part.type}' is not supported; this "
                        "model reads text only",
                        param=f"messages[{index}].content",
                        code="unsupported_content",
                    )
        role = "system" if message.role == "developer" else message.role
        shape: dict[str, Any] = {"role": role, "content": message.text}
        for name in ("name", "tool_calls", "tool_call_id"):
            if (value := getattr(message, name)) is not None:
                shape[name] = value
        plain.append(shape)
    return plain
