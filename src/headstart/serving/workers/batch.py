"""Continuous batching: one thread steps an OpenVINO pipeline, every step for all requests at once.

Only that thread touches the pipeline. What a step made is handed to the event loop in one call;
a request that is closed leaves the batch before the next step.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import openvino
import openvino_genai
from openvino_genai import GenerationConfig, GenerationFinishReason, GenerationStatus

from headstart.errors import HeadstartError, Unavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Output:
    """What one step made for one request."""

    tokens: list[int]
    logprobs: list[float]
    finish: GenerationFinishReason


@dataclass(eq=False, slots=True)
class _Request:
    tokens: list[int]
    config: GenerationConfig
    outputs: asyncio.Queue[Output | HeadstartError] = field(default_factory=asyncio.Queue)
    handle: Any = None
    closed: bool = False


class Batch:
    """The requests that a pipeline works on."""

    def __init__(
        self,
        pipeline: openvino_genai.ContinuousBatchingPipeline,
        on_failure: Callable[[], None],
    ) -> None:
        """`on_failure` is called on the stepping thread, after all requests were told."""
        self._pipeline = pipeline
        self._on_failure = on_failure
        self._changed = threading.Condition()
        self._arrived: list[_Request] = []
        self._running: list[_Request] = []
        self._number = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._broken: Exception | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="steps", daemon=True)
        self._thread.start()

    async def generate(
        self, tokens: list[int], config: GenerationConfig
    ) -> AsyncGenerator[Output, None]:
        """The outputs of a new request, up to the one that has a reason to finish."""
        self._loop = asyncio.get_running_loop()
        request = _Request(tokens, config)
        with self._changed:
            if self._broken is not None:
                raise _failed(self._broken)
            self._arrived.append(request)
            self._changed.notify()
        try:
            while True:
                output = await request.outputs.get()
                if isinstance(output, HeadstartError):
                    raise output
                yield output
                if output.finish != GenerationFinishReason.NONE:
                    return
        finally:
            request.closed = True

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout=5)

    @property
    def running(self) -> int:
        with self._changed:
            return len(self._running) + len(self._arrived)

    # --- on the stepping thread -----------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._wait_for_work():
                self._pipeline.step()
                self._hand_out()
        except Exception as error:
            log.exception("the engine failed; this worker cannot go on")
            with self._changed:
                self._broken = error
                lost = self._running + self._arrived
                self._running, self._arrived = [], []
            self._on_loop([(request, _failed(error)) for request in lost])
            self._on_failure()

    def _wait_for_work(self) -> bool:
        """Take in what arrived, let go of what was closed; False when there will be no more."""
        while True:
            with self._changed:
                while not (self._arrived or self._running or self._closing):
                    self._changed.wait()
                if self._closing:
                    return False
                arrived, self._arrived = self._arrived, []
            for request in arrived:
                if not request.closed:
                    self._add(request)
            for request in self._running:
                if request.closed:
                    request.handle.stop()
            self._running = [request for request in self._running if not request.closed]
            if self._running or self._pipeline.has_non_finished_requests():
                return True

    def _add(self, request: _Request) -> None:
        self._number += 1
        ids = openvino.Tensor(  # type: ignore[attr-defined]
            np.array([request.tokens], dtype=np.int64)
        )
        request.handle = self._pipeline.add_request(self._number, ids, request.config)
        self._running.append(request)

    def _hand_out(self) -> None:
        made: list[tuple[_Request, Output | HeadstartError]] = []
        for request in self._running:
            handle = request.handle
            while handle.can_read():
                for output in handle.read().values():
                    made.append((request, _read(output)))
            if handle.get_status() == GenerationStatus.IGNORED:
                made.append((request, Unavailable("The KV cache is full; try again later.")))
        ended = {
            request
            for request, output in made
            if isinstance(output, HeadstartError) or output.finish != GenerationFinishReason.NONE
        }
        self._running = [request for request in self._running if request not in ended]
        if made:
            self._on_loop(made)

    def _on_loop(self, made: list[tuple[_Request, Output | HeadstartError]]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_deliver, made)


def _deliver(made: list[tuple[_Request, Output | HeadstartError]]) -> None:
    for request, output in made:
        request.outputs.put_nowait(output)


def _read(output: Any) -> Output:
    return Output(output.generated_ids, output.generated_log_probs, output.finish_reason)


def _failed(error: Exception) -> HeadstartError:
    return HeadstartError(f"The engine failed: {error}")
