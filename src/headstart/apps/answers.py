"""Chunks of an app's answer: written by the app itself, or the model's with citations checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice, ChoiceDelta

from headstart.apps.citations import Citation, CitedText
from headstart.knowledge.passages import Passage
from headstart.serving.base import Call
from headstart.serving.requests import ChatRequest


def written(call: Call, request: ChatRequest, text: str) -> Iterator[ChatCompletionChunk]:
    """A whole answer that no model made, as chunks; the same for each of `n` choices."""
    for index in range(request.n):
        delta = {"role": "assistant", "content": text}
        yield _chunk(call, request, [{"index": index, "delta": delta, "finish_reason": None}])
        yield _chunk(call, request, [{"index": index, "delta": {}, "finish_reason": "stop"}])
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    yield _chunk(call, request, [], usage=usage)


def _chunk(call: Call, request: ChatRequest, choices: list[Any], **more: Any) -> Any:
    return ChatCompletionChunk.model_validate(
        {
            "id": call.id,
            "object": "chat.completion.chunk",
            "created": int(call.created_at),
            "model": request.model,
            "choices": choices,
            **more,
        }
    )


class CitedAnswer:
    """Rewrites the chunks of a model's answer: text through `CitedText`, annotations at the end."""

    def __init__(self, passages: Sequence[Passage], question: str) -> None:
        self._passages = passages
        self._question = question
        self._texts: dict[int, CitedText] = {}

    def rewrite(self, chunk: ChatCompletionChunk) -> ChatCompletionChunk:
        for choice in chunk.choices:
            self._rewrite(choice)
        return chunk

    @property
    def cited(self) -> set[int]:
        """Numbers of the passages that any choice cites."""
        return {c.number for text in self._texts.values() for c in text.citations}

    def _rewrite(self, choice: Choice) -> None:
        text = self._texts.setdefault(choice.index, CitedText(self._passages, self._question))
        delta = choice.delta
        shown = text.feed(delta.content) if delta.content else ""
        if choice.finish_reason is not None:
            shown += text.finish()
        if shown or delta.content is not None:
            delta.content = shown
        if choice.finish_reason is not None and text.citations:
            annotations = [self._annotation(citation) for citation in text.citations]
            said = delta.model_dump(exclude_unset=True)
            choice.delta = ChoiceDelta.model_validate({**said, "annotations": annotations})

    def _annotation(self, citation: Citation) -> dict[str, Any]:
        """OpenAI's URL citation, and beside it what it cites in full."""
        passage = self._passages[citation.number - 1]
        quote = citation.quote
        return {
            "type": "url_citation",
            "url_citation": {
                "url": f"/passages/{passage.store_id}/{passage.id}",
                "title": passage.filename,
                "start_index": citation.start,
                "end_index": citation.end,
            },
            "file_citation": {
                "number": citation.number,
                "store_id": passage.store_id,
                "file_id": passage.file_id,
                "filename": passage.filename,
                "chunk_id": passage.id,
                "page": passage.page,
                "start": passage.start + quote.start,
                "end": passage.start + quote.end,
                "quote": passage.text[quote.start : quote.end],
                "headings": list(passage.headings),
            },
        }
