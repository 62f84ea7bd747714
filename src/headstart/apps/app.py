"""`App`: answers from instructions and knowledge, through an endpoint.

The pipeline of a call: earlier turns → passages → a prompt that fits → reasoning → an answer with
checked citations. Small talk and questions that the documents say nothing about are answered
without the model. Each stage leaves a step in the trace.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from openai.types.chat import ChatCompletionChunk

from headstart.apps import small_talk
from headstart.apps.answers import CitedAnswer, written
from headstart.apps.citations import NOT_FOUND
from headstart.apps.prompt import NO_INSTRUCTIONS, RULES, Chat, Draft, Prompt, fit
from headstart.apps.retrieval import Found, retrieve
from headstart.apps.spec import AppSpec
from headstart.errors import BadRequest, Unavailable
from headstart.knowledge.knowledge import Knowledge
from headstart.knowledge.passages import Passage
from headstart.reasoning.base import strategies
from headstart.serving.base import Call, Endpoint
from headstart.serving.endpoints import Endpoints
from headstart.serving.requests import ChatRequest, Message

MOST_STOPS = 4  # in a request
Chunks = AsyncGenerator[ChatCompletionChunk, None]

GROUNDED_TEMPERATURE = 0.0
REGENERATED_TEMPERATURE = 0.7  # a second answer that repeats the first helps nobody
GROUNDED_ANSWER = 512  # most tokens, unless the app or the call says


@dataclass
class App(Endpoint):
    """One version of an app."""

    name: str
    number: int
    spec: AppSpec
    endpoints: Endpoints
    knowledge: Knowledge

    async def chat(self, call: Call, request: ChatRequest) -> Chunks:
        trace = call.trace
        trace.app = self.name
        trace.keep = trace.keep and self.spec.record
        trace.versions |= {"app": self.number, "app_digest": self.spec.digest}
        pipeline = self._grounded if self.spec.knowledge else self._instructed
        async with aclosing(pipeline(call, request, Chat.of(request.messages))) as chunks:
            async for chunk in chunks:
                chunk.id, chunk.model = call.id, self.name
                yield chunk

    async def count_tokens(self, messages: list[Message]) -> int:
        chat = Chat.of(messages)
        draft = Draft(self._instructions(), chat, [])
        return await self._endpoint().count_tokens(draft.messages(0, len(chat.turns)))

    @property
    def context_length(self) -> int:
        return self._endpoint().context_length

    async def _instructed(self, call: Call, request: ChatRequest, chat: Chat) -> Chunks:
        """Instructions over an endpoint."""
        async with aclosing(await self._answer(call, request, chat, [])) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _grounded(self, call: Call, request: ChatRequest, chat: Chat) -> Chunks:
        """An answer from passages, with citations unless it is JSON."""
        prose = request.response_format is None or request.response_format.type == "text"
        needs_model = not prose or bool(request.tools)
        if not needs_model and (text := self._small_talk(chat)) is not None:
            call.trace.steps.append({"type": "small_talk"})
            for chunk in written(call, request, text):
                yield chunk
            return
        if not chat.question.text.strip():
            raise BadRequest("the last user message is empty; ask something", param="messages")
        found = await self._search(call, chat)
        if not needs_model and not found.relevant:
            call.trace.passages = _rows(found.passages)
            for chunk in written(call, request, NOT_FOUND):
                yield chunk
            return
        if not needs_model and not found.follows_up:
            chat = replace(chat, turns=[])  # they would only mislead a small model
        passages = found.passages if found.relevant else []
        async with aclosing(await self._answer(call, request, chat, passages)) as chunks:
            shown = passages[: len(call.trace.passages)]
            answer = CitedAnswer(shown, chat.question.text)
            try:
                async for chunk in chunks:
                    yield answer.rewrite(chunk) if prose else chunk
            finally:
                for row in call.trace.passages:
                    row["cited"] = row["number"] in answer.cited

    def _small_talk(self, chat: Chat) -> str | None:
        said = chat.question.text
        spec = self.spec
        return small_talk.reply(
            said, app=self.name, description=spec.description, knowledge=spec.knowledge
        )

    async def _search(self, call: Call, chat: Chat) -> Found:
        started = time.perf_counter()
        stores = await self.knowledge.store_ids(self.spec.knowledge)
        found = await retrieve(
            self.knowledge,
            stores,
            chat.question.text,
            chat.previous_question,
            self.spec.passages,
        )
        call.trace.steps.append(
            {
                "type": "search",
                "query": found.query,
                "passages": len(found.passages),
                "relevance": round(found.relevance, 4),
                "relevant": found.relevant,
                "ms": _since(started),
            }
        )
        return found

    async def _answer(
        self, call: Call, request: ChatRequest, chat: Chat, passages: list[Passage]
    ) -> Chunks:
        """The model's chunks, once the prompt is known to fit."""
        endpoint = self._endpoint()
        call.trace.endpoint = self.spec.endpoint
        request = self._with_defaults(request)
        started = time.perf_counter()
        prompt = await self._prompt(request, chat, passages, endpoint)
        call.trace.passages = _rows(prompt.passages)
        call.trace.steps.append(
            {
                "type": "prompt",
                "tokens": prompt.tokens,
                "passages": len(prompt.passages),
                "turns": prompt.turns,
                "ms": _since(started),
            }
        )
        strategy = strategies()[self.spec.reasoning]()
        stop = request.stop or _copying(prompt.passages)
        asked = request.model_copy(update={"messages": prompt.messages, "stop": stop})
        return strategy.reason(call, asked, endpoint)

    async def _prompt(
        self, request: ChatRequest, chat: Chat, passages: list[Passage], endpoint: Endpoint
    ) -> Prompt:
        draft = Draft(self._instructions(), chat, passages)
        return await fit(draft, request, endpoint, memory=self.spec.memory.max_tokens)

    def _instructions(self) -> str:
        own = self.spec.rendered_instructions(self.name).strip()
        return f"{own or NO_INSTRUCTIONS} {RULES}" if self.spec.knowledge else own

    def _with_defaults(self, request: ChatRequest) -> ChatRequest:
        """The call's own parameters, over the app's, over what suits a grounded answer."""
        spec, grounded = self.spec, bool(self.spec.knowledge)
        temperature, limit = request.temperature, request.token_limit
        if temperature is None and request.regenerates:
            temperature = REGENERATED_TEMPERATURE
        if temperature is None:
            temperature = spec.temperature
        if temperature is None and grounded and request.top_p is None:
            temperature = GROUNDED_TEMPERATURE
        if limit is None:
            limit = spec.max_tokens or (GROUNDED_ANSWER if grounded else None)
        return request.model_copy(
            update={
                "model": spec.endpoint,
                "temperature": temperature,
                "max_completion_tokens": limit,
                "max_tokens": None,
            }
        )

    def _endpoint(self) -> Endpoint:
        endpoint = self.endpoints.resolve(self.spec.endpoint)
        if endpoint is None:
            raise Unavailable(
                f"app '{self.name}' answers through the endpoint '{self.spec.endpoint}', which is "
                f"not deployed; 'headstart deploy MODEL --name {self.spec.endpoint}' deploys it"
            )
        return endpoint


def _copying(passages: list[Passage]) -> list[str] | None:
    """What a small model writes when it goes on copying its prompt: the head of another passage."""
    return [f"\n\n[{number}]" for number in range(1, min(len(passages), MOST_STOPS) + 1)] or None


def _rows(passages: list[Passage]) -> list[dict[str, Any]]:
    """Passages as the record keeps them."""
    return [
        {
            "number": number,
            "store_id": passage.store_id,
            "file_id": passage.file_id,
            "filename": passage.filename,
            "chunk_id": passage.id,
            "page": passage.page,
            "score": passage.score,
            "text": passage.text,
            "cited": False,
        }
        for number, passage in enumerate(passages, 1)
    ]


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
