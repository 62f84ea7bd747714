"""`Recorded`: an endpoint that keeps a record of every call it answers.

The record is durable before the caller sees the end of the answer: the chunk that finishes it is
held back until the commit. A call that fails or whose caller leaves is recorded with what there was
of the answer, where that came in pieces. Nothing is kept of a call with `store: false`, of an app
that switched recording off, or where recording is off in the settings.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog
from openai.types import Completion, CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from headstart.errors import BadRequest, HeadstartError
from headstart.records.commits import Also, Columns
from headstart.records.draft import AnswerDraft, ChatDraft, CompletionDraft, Draft, EmbeddingDraft
from headstart.records.records import Records
from headstart.records.turns import Turns
from headstart.serving.base import Call, Endpoint
from headstart.serving.requests import ChatRequest, CompletionRequest, EmbeddingRequest, Message

log = structlog.get_logger()

T = TypeVar("T")


@dataclass
class Recorded(Endpoint):
    """An endpoint that keeps a record of every call it answers."""

    inner: Endpoint
    records: Records
    turns: Turns
    enabled: bool = True  # Settings.record

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.inner.name

    @property
    def context_length(self) -> int:
        return self.inner.context_length

    async def count_tokens(self, messages: list[Message]) -> int:
        return await self.inner.count_tokens(messages)

    async def chat(
        self, call: Call, request: ChatRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        await self._check_references(call, request)
        draft = ChatDraft(call, request)
        async with aclosing(self._recorded(draft, self.inner.chat(call, request))) as chunks:
            async for chunk in chunks:
                yield chunk

    async def complete(
        self, call: Call, request: CompletionRequest
    ) -> AsyncGenerator[Completion, None]:
        draft = CompletionDraft(call, request)
        async with aclosing(self._recorded(draft, self.inner.complete(call, request))) as chunks:
            async for chunk in chunks:
                yield chunk

    async def answer(self, call: Call, request: ChatRequest) -> ChatCompletion:
        await self._check_references(call, request)
        return await self._whole(AnswerDraft(call, request), self.inner.answer(call, request))

    async def embed(self, call: Call, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        return await self._whole(EmbeddingDraft(call, request), self.inner.embed(call, request))

    async def _whole(self, draft: Draft[T], answering: Awaitable[T]) -> T:
        try:
            answer = await answering
        except asyncio.CancelledError:
            self._leave(draft)
            raise
        except Exception as error:
            await self._fail(draft, error)
            raise
        draft.add(answer)
        await self._keep(draft)
        return answer

    async def _recorded(
        self, draft: Draft[T], answer: AsyncGenerator[T, None]
    ) -> AsyncGenerator[T, None]:
        held: list[T] = []
        try:
            async with aclosing(answer) as chunks:
                async for chunk in chunks:
                    draft.add(chunk)
                    if draft.finished:
                        held.append(chunk)
                    else:
                        yield chunk
        except (GeneratorExit, asyncio.CancelledError):
            self._leave(draft)
            raise
        except Exception as error:
            await self._fail(draft, error)
            raise
        await self._keep(draft)
        for chunk in held:
            yield chunk

    async def _check_references(self, call: Call, request: ChatRequest) -> None:
        """What the request refers to must be there before any work is done for it."""
        if request.conversation is not None:
            if request.store is False:
                raise BadRequest(
                    "store: false keeps nothing of this call, so it cannot become part of a "
                    "conversation. Leave out 'store' or 'conversation'.",
                    param="store",
                )
            await asyncio.to_thread(self.turns.require, request.conversation, call.principal)
        if request.regenerates is not None:
            await asyncio.to_thread(
                self.records.get, request.regenerates, call.principal, param="regenerates"
            )

    async def _keep(self, draft: Draft[T]) -> None:
        row, also = self._entry(draft, "completed")
        if row is not None or also is not None:
            await self.records.append(row, also)

    def _leave(self, draft: Draft[T]) -> None:
        """The caller has gone: there is nobody to wait for the commit."""
        row, also = self._entry(draft, "cancelled")
        if row is not None or also is not None:
            self.records.submit(row, also)

    async def _fail(self, draft: Draft[T], error: Exception) -> None:
        if not (self.enabled and draft.wanted):
            return
        try:
            await self.records.append(draft.row("failed", error))
        except HeadstartError as unrecorded:  # the first error is the one to report
            log.error("failed call not recorded", id=draft.call.id, error=unrecorded.message)

    def _entry(self, draft: Draft[T], status: str) -> tuple[Columns | None, Also | None]:
        """The record, and what its conversation gains: that is kept even where records are off."""
        row = draft.row(status) if self.enabled and draft.wanted else None
        turn = draft.turn(complete=status == "completed", recorded=row is not None)
        also = partial(self.turns.append_turn, turn=turn) if turn is not None else None
        return row, also
