"""`WorkerEndpoint`: an endpoint whose answers come from a worker process on this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from openai.types import Completion, CompletionUsage, CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic_core import from_json, to_json

from headstart import __version__
from headstart.errors import BadRequest, HeadstartError, Unavailable
from headstart.hub.cards import Task
from headstart.hub.stored import StoredModel
from headstart.serving import worker_client
from headstart.serving.base import Call, Endpoint
from headstart.serving.echo import does_everything
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
from headstart.serving.worker_requests import (
    chat_body,
    completion_body,
    embedding_body,
    plain_messages,
    refuse_unsupported,
)

_TEMPLATED = ("messages", "tools", "tool_choice")
_A_MODEL = {
    Task.CHAT: "a chat model",
    Task.SEQ2SEQ: "a text-to-text model",
    Task.EMBEDDING: "an embedding model",
    Task.RERANK: "a reranker",
}
_PROMPT_LIMIT = 5.0  # seconds for the record's prompt, which the end of the answer waits for
_NOTICE = 0.2  # seconds until the end of a process is known after its connection broke
_STALE = 0.05  # seconds in which a connection breaks that had been dead before


log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Exchange:
    """A request that a worker is answering."""

    call: Call
    replica: Replica
    body: dict[str, Any]
    response: aiohttp.ClientResponse
    started: bool = False  # its first chunk has come
    spoke: bool = False  # its first token has come
    prompt: asyncio.Task[None] | None = None

    @property
    def payloads(self) -> AsyncGenerator[bytes, None]:
        return worker_client.events(self.response)

    def normalised(self, payload: bytes) -> bytes:
        return self.replica.engine.normalise(self.body, payload)


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
        used: CompletionUsage | None = None
        async with self._stream(
            call, request, "v1/chat/completions", chat_body(request)
        ) as exchange:
            async for payload in exchange.payloads:
                chunk = ChatCompletionChunk.model_validate_json(exchange.normalised(payload))
                if not exchange.started:
                    self._note_prompt(exchange, chunk)
                if not exchange.spoke and _says_something(chunk):
                    self._note_first_token(exchange)
                used = _together(used, self._relabel(call, chunk))
                if chunk.choices:
                    yield chunk
        yield ChatCompletionChunk(
            id=call.id,
            choices=[],
            created=int(call.created_at),
            model=self.name,
            object="chat.completion.chunk",
            usage=self._book(used),
        )

    async def answer(self, call: Call, request: ChatRequest) -> ChatCompletion:
        """In one piece where the worker can: it costs both of us a fraction of a stream."""
        replica = self._supervisor.replica
        if replica is None or not replica.engine.answers_whole:
            return await super().answer(call, request)
        self._require("/v1/chat/completions", Task.CHAT, Task.SEQ2SEQ)
        body = {**chat_body(request), "model": self.name}
        async with self._exchange(call, request, "v1/chat/completions", body) as exchange:
            content = exchange.normalised(await worker_client.read(exchange.response))
        answer = ChatCompletion.model_validate_json(content)
        if answer.model_extra:
            call.trace.prompt = answer.model_extra.pop("prompt", None)
        answer.id, answer.model, answer.created = call.id, self.name, int(call.created_at)
        self._book(answer.usage)
        return answer

    async def complete(
        self, call: Call, request: CompletionRequest
    ) -> AsyncGenerator[Completion, None]:
        self._require("/v1/completions", Task.CHAT, Task.SEQ2SEQ)
        if isinstance(request.prompt, str):
            call.trace.prompt = request.prompt
        used: CompletionUsage | None = None
        async with self._stream(
            call, request, "v1/completions", completion_body(request)
        ) as exchange:
            async for payload in exchange.payloads:
                # not validated: OpenAI's own chunks have a null `finish_reason`, its type has not
                chunk = Completion.construct(**from_json(exchange.normalised(payload)))
                if not exchange.spoke and chunk.choices:
                    self._note_first_token(exchange)
                used = _together(used, self._relabel(call, chunk))
                if chunk.choices:
                    yield chunk
        yield Completion(
            id=call.id,
            choices=[],
            created=int(call.created_at),
            model=self.name,
            object="text_completion",
            usage=self._book(used),
        )

    async def embed(self, call: Call, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        self._require("/v1/embeddings", Task.EMBEDDING)
        body = {**embedding_body(request), "model": self.name}
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
    ) -> AsyncIterator[_Exchange]:
        """A streamed answer; leaving the block early aborts it in the worker."""
        body |= {"model": self.name, "stream": True, "stream_options": {"include_usage": True}}
        async with self._exchange(call, request, path, body) as exchange:
            try:
                yield exchange
            finally:
                exchange.response.close()
                if exchange.prompt is not None:
                    await exchange.prompt

    @asynccontextmanager
    async def _exchange(
        self,
        call: Call,
        request: Sampling | EmbeddingRequest,
        path: str,
        body: dict[str, Any],
    ) -> AsyncIterator[_Exchange]:
        """Hold a worker, send it the request, and see how the block ends."""
        outcome = "failed"
        self._metrics.in_flight.inc()
        try:
            replica = await self._supervisor.acquire()
            try:
                refuse_unsupported(replica.engine, request)
                adapted = replica.engine.adapt(path, body)
                replica, response = await self._post(replica, path, to_json(adapted))
                self._trace(call, replica)
                try:
                    yield _Exchange(call, replica, body, response)
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
            return replica, await self._send(replica, path, body)
        except worker_client.NotConnected:
            pass
        except worker_client.Disconnected as error:
            if time.monotonic() - began > _STALE:
                raise await self._lost(replica) from error
        await replica.ended_within(_NOTICE)
        replica = await self._supervisor.current()
        try:
            return replica, await self._send(replica, path, body)
        except worker_client.TransportError as error:
            raise await self._lost(replica) from error

    async def _send(self, replica: Replica, path: str, body: bytes) -> aiohttp.ClientResponse:
        return await worker_client.post(self._http, replica.at(path), replica.headers, body)

    async def _lost(self, replica: Replica) -> Unavailable:
        if await replica.ended_within(_NOTICE):
            return Unavailable(
                f"The worker of '{self.name}' ended before the answer was complete; it is being "
                f"started again. 'headstart endpoints logs {self.name}' shows its last lines."
            )
        return Unavailable(f"The connection to the worker of '{self.name}' broke; try again.")

    def _note_prompt(self, exchange: _Exchange, first: ChatCompletionChunk) -> None:
        """See to the prompt for the record.

        Our own workers put it on the first chunk; others are asked for it while they generate, so
        that it delays no token.
        """
        exchange.started = True
        extra = first.model_extra
        if extra and "prompt" in extra:
            exchange.call.trace.prompt = extra.pop("prompt")
        elif exchange.call.trace.keep:
            exchange.prompt = asyncio.create_task(self._trace_prompt(exchange))

    def _note_first_token(self, exchange: _Exchange) -> None:
        exchange.spoke = True
        self._metrics.first_token.observe(time.time() - exchange.call.created_at)

    async def _trace_prompt(self, exchange: _Exchange) -> None:
        """Note the prompt as the model sees it. A record without it is better than no answer."""
        body, call = exchange.body, exchange.call
        seen = to_json({name: body[name] for name in _TEMPLATED if name in body})
        try:
            async with asyncio.timeout(_PROMPT_LIMIT):
                response = await self._send(exchange.replica, "apply-template", seen)
                call.trace.prompt = from_json(await worker_client.read(response))["prompt"]
        except (HeadstartError, worker_client.TransportError, TimeoutError) as error:
            log.warning("no prompt for the record", call=call.id, why=str(error))

    def _relabel(
        self, call: Call, chunk: ChatCompletionChunk | Completion
    ) -> CompletionUsage | None:
        """Put our names on a chunk and take the usage off it, which gets a chunk of its own."""
        chunk.id, chunk.model, chunk.created = call.id, self.name, int(call.created_at)
        usage = chunk.usage
        if usage is not None:
            chunk.usage = None
        return usage

    def _book(self, usage: CompletionUsage | None) -> CompletionUsage:
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
        if self.model is None or does_everything(self.model):
            return
        if self.model.task not in tasks:
            raise BadRequest(
                f"'{self.name}' is {_A_MODEL[self.model.task]}: it does not serve {what}",
                param="model",
            )


def _says_something(chunk: ChatCompletionChunk) -> bool:
    return any(choice.delta.content or choice.delta.tool_calls for choice in chunk.choices)


def _together(used: CompletionUsage | None, more: CompletionUsage | None) -> CompletionUsage | None:
    """The usage of all choices: llama.cpp's server tells it for each one."""
    if used is None or more is None:
        return more or used
    more.completion_tokens += used.completion_tokens
    more.total_tokens = more.prompt_tokens + more.completion_tokens
    return more
