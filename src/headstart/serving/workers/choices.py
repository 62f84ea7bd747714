"""One choice of an answer: a backend's tokens with stop strings and tool calls worked out."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal

from headstart.serving.workers.base import Backend, Job, Piece, Token
from headstart.serving.workers.stops import StopStrings
from headstart.serving.workers.tool_calls import ToolCallParser

FinishReason = Literal["stop", "length", "tool_calls"]


@dataclass(slots=True)
class Delta:
    """What is new in a choice."""

    text: str = ""
    tokens: list[Token] = field(default_factory=list)  # those whose text has begun to be shown
    calls: list[dict[str, Any]] = field(default_factory=list)
    finish: FinishReason | None = None
    generated: int = 0  # tokens, shown or not


async def choice(backend: Backend, job: Job, stops: Sequence[str]) -> AsyncGenerator[Delta, None]:
    """The choice's deltas; the last one has its `finish`. Closing it ends the generation."""
    text = _Text(stops, job)
    async with aclosing(backend.generate(job)) as pieces:
        async for piece in pieces:
            delta = text.add(piece)
            if delta.text or delta.tokens or delta.calls or delta.finish or delta.generated:
                yield delta
            if delta.finish:
                return


class _Text:
    def __init__(self, stops: Sequence[str], job: Job) -> None:
        self._stops = StopStrings(stops)
        self._parser: ToolCallParser | None = None
        if job.tools is not None:
            self._parser = ToolCallParser([tool["name"] for tool in job.tools.functions])
        self._waiting: deque[tuple[int, Token]] = deque()  # with where their text starts
        self._arrived = self._shown = 0

    def add(self, piece: Piece) -> Delta:
        delta = Delta(generated=len(piece.tokens))
        text = ""
        for token in piece.tokens:
            self._waiting.append((self._arrived, token))
            self._arrived += len(token.text)
            text += token.text
        shown = self._stops.feed(text)
        finish: FinishReason | None = "stop" if self._stops.met else piece.finish
        if finish and not self._stops.met:
            shown += self._stops.flush()
        self._shown += len(shown)
        while self._waiting and (self._waiting[0][0] < self._shown or self._all_shown(finish)):
            delta.tokens.append(self._waiting.popleft()[1])
        self._parse(shown, finish, delta)
        return delta

    def _all_shown(self, finish: FinishReason | None) -> bool:
        """Whether tokens that start where the shown text ends were not cut off by a stop string."""
        return finish is not None and not self._stops.met

    def _parse(self, shown: str, finish: FinishReason | None, delta: Delta) -> None:
        delta.text, delta.finish = shown, finish
        if self._parser is None:
            return
        parsed = self._parser.feed(shown)
        delta.text, delta.calls = parsed.content, parsed.calls
        if finish:
            rest = self._parser.flush()
            delta.text += rest.content
            delta.calls += rest.calls
            if self._parser.count and finish == "stop":
                delta.finish = "tool_calls"
