"""Carries out a plan: all its choices at once, as a stream of chunks or as one answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from headstart.serving.workers import shapes
from headstart.serving.workers.base import Backend
from headstart.serving.workers.choices import Delta, choice
from headstart.serving.workers.plans import Plan


async def stream(backend: Backend, plan: Plan) -> AsyncGenerator[dict[str, Any], None]:
    """OpenAI's chunks. Closing it ends the generation of every choice."""
    head, shape = plan.head, plan.shape
    calls = [0] * len(plan.jobs)
    generated = 0
    for index in range(len(plan.jobs)):
        if (first := shape.first(index)) is not None:
            yield head.chunk(shape.part, [first], **shape.extras(index))
    async with aclosing(_deltas(backend, plan)) as deltas:
        async for index, delta in deltas:
            generated += delta.generated
            if delta.text or delta.tokens or delta.calls or delta.finish:
                yield head.chunk(shape.part, [shape.delta(index, delta, calls[index])])
                calls[index] += len(delta.calls)
    if plan.include_usage:
        used = shapes.usage(plan.prompt_tokens, generated)
        yield head.chunk(shape.part, [], usage=used)


async def whole(backend: Backend, plan: Plan) -> dict[str, Any]:
    """The complete answer. Cancelling the call ends the generation."""
    choices = [Delta() for _ in plan.jobs]
    async with aclosing(_deltas(backend, plan)) as deltas:
        async for index, delta in deltas:
            joined = choices[index]
            joined.text += delta.text
            joined.tokens += delta.tokens
            joined.calls += delta.calls
            joined.finish = delta.finish
            joined.generated += delta.generated
    used = shapes.usage(plan.prompt_tokens, sum(done.generated for done in choices))
    answers = [plan.shape.choice(index, done) for index, done in enumerate(choices)]
    return plan.head.chunk(plan.shape.whole, answers, usage=used, **plan.shape.extras(0))


async def _deltas(backend: Backend, plan: Plan) -> AsyncGenerator[tuple[int, Delta], None]:
    if len(plan.jobs) == 1:
        async with aclosing(choice(backend, plan.jobs[0], plan.stops)) as deltas:
            async for delta in deltas:
                yield 0, delta
        return
    queue: asyncio.Queue[tuple[int, Delta] | Exception | None] = asyncio.Queue()
    begun = asyncio.Event()  # from then on the prompt is in the backend's cache

    async def pump(index: int) -> None:
        try:
            if index and plan.jobs[index].prompt == plan.jobs[0].prompt:
                await begun.wait()
            async with aclosing(choice(backend, plan.jobs[index], plan.stops)) as deltas:
                async for delta in deltas:
                    begun.set()
                    queue.put_nowait((index, delta))
        except Exception as error:
            queue.put_nowait(error)
        begun.set()
        queue.put_nowait(None)

    pumps = [asyncio.create_task(pump(index)) for index in range(len(plan.jobs))]
    try:
        running = len(pumps)
        while running:
            item = await queue.get()
            if isinstance(item, Exception):
                raise item
            if item is None:
                running -= 1
            else:
                yield item
    finally:
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
