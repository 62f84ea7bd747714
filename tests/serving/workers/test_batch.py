"""The stepping thread against a pipeline made of paper: order, departures, failures."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing
from typing import Any

import pytest
from openvino_genai import GenerationConfig, GenerationFinishReason, GenerationStatus

from headstart.errors import HeadstartError, Unavailable
from headstart.serving.workers.batch import Batch

NONE, STOP = GenerationFinishReason.NONE, GenerationFinishReason.STOP


class Output:
    def __init__(self, token: int, finish: GenerationFinishReason) -> None:
        self.generated_ids = [token]
        self.generated_log_probs = [-0.5]
        self.finish_reason = finish


class Handle:
    def __init__(self, tokens: int) -> None:
        self.left = tokens
        self.outputs: list[Output] = []
        self.stopped = False
        self.ignored = False

    def can_read(self) -> bool:
        return bool(self.outputs)

    def read(self) -> dict[int, Output]:
        return {0: self.outputs.pop(0)}

    def get_status(self) -> GenerationStatus:
        return GenerationStatus.IGNORED if self.ignored else GenerationStatus.RUNNING

    def stop(self) -> None:
        self.stopped = True


class Pipeline:
    """Gives every request one token a step. A prompt says how many; 13 breaks it."""

    def __init__(self) -> None:
        self.handles: list[Handle] = []
        self.steps = 0
        self.go = threading.Event()
        self.go.set()

    def add_request(self, number: int, ids: Any, config: GenerationConfig) -> Handle:
        handle = Handle(int(ids.data[0][0]))
        handle.ignored = handle.left == 0
        self.handles.append(handle)
        return handle

    def has_non_finished_requests(self) -> bool:
        return any(handle.left and not handle.stopped for handle in self.handles)

    def step(self) -> None:
        assert self.go.wait(30)
        self.steps += 1
        for handle in self.handles:
            if handle.left == 13:
                raise RuntimeError("bad grammar")
            if handle.left and not handle.stopped:
                handle.left -= 1
                handle.outputs.append(Output(handle.left, NONE if handle.left else STOP))


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


async def tokens(batch: Batch, count: int) -> list[int]:
    outputs = batch.generate([count], GenerationConfig())
    return [token async for output in outputs for token in output.tokens]


async def test_requests_share_steps_and_get_their_own_tokens(pipeline: Pipeline) -> None:
    batch = Batch(pipeline, lambda: None)  # type: ignore[arg-type]
    pipeline.go.clear()
    asked = [asyncio.create_task(tokens(batch, count)) for count in (3, 5, 1)]
    await asyncio.sleep(0)
    pipeline.go.set()
    assert await asyncio.gather(*asked) == [[2, 1, 0], [4, 3, 2, 1, 0], [0]]
    assert pipeline.steps < 9
    assert batch.running == 0
    batch.close()


async def test_a_request_that_is_closed_leaves_before_the_next_step(pipeline: Pipeline) -> None:
    batch = Batch(pipeline, lambda: None)  # type: ignore[arg-type]
    async with aclosing(batch.generate([10**9], GenerationConfig())) as outputs:
        async for _ in outputs:
            break
    assert await tokens(batch, 2) == [1, 0]
    assert pipeline.handles[0].stopped
    assert batch.running == 0
    batch.close()


async def test_a_request_that_finds_no_room_is_told(pipeline: Pipeline) -> None:
    batch = Batch(pipeline, lambda: None)  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="KV cache is full"):
        await tokens(batch, 0)
    assert await tokens(batch, 1) == [0]
    batch.close()


async def test_when_the_engine_fails_everyone_is_told_and_the_worker_ends(
    pipeline: Pipeline,
) -> None:
    failed = threading.Event()
    batch = Batch(pipeline, failed.set)  # type: ignore[arg-type]
    pipeline.go.clear()
    asked = [asyncio.create_task(tokens(batch, count)) for count in (1000, 13)]
    await asyncio.sleep(0)
    pipeline.go.set()
    for outcome in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(outcome, HeadstartError)
        assert "bad grammar" in outcome.message
    assert await asyncio.to_thread(failed.wait, 10)
    with pytest.raises(HeadstartError, match="bad grammar"):
        await tokens(batch, 1)
    batch.close()


async def test_closing_ends_the_thread(pipeline: Pipeline) -> None:
    batch = Batch(pipeline, lambda: None)  # type: ignore[arg-type]
    assert await tokens(batch, 1) == [0]
    batch.close()
    assert not any(thread.name == "steps" and thread.is_alive() for thread in threading.enumerate())
