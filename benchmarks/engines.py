"""Both chat engines on SmolLM2-135M, side by side: generation alone and in company, prefill.

Every figure is the best of three rounds, in which the engines take turns. Each worker is spoken to
directly, through the OpenAI API that it serves.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from tests.models import require_models

from headstart.hub.store import Store
from headstart.hub.stored import StoredModel
from headstart.serving.engines.base import Engine, Launch
from headstart.serving.engines.llamacpp import LlamaCpp
from headstart.serving.engines.openvino import OpenVino
from headstart.serving.replica import free_port

MODEL = "smollm2-135m-instruct"
ROUNDS = 3
CHATS = 8


@dataclass
class Work:
    """Calls that are sent at once, and what their speed is measured in."""

    name: str
    unit: str
    calls: int
    words: int  # of the prompt, made up
    max_tokens: int
    counts: str  # the part of `usage` that is counted; "" measures the seconds

    def rate(self, used: int, seconds: float) -> float:
        return used / seconds if self.counts else seconds


WORKS = [
    Work("1 chat, 64 tokens", "tokens/s", 1, 0, 64, "completion_tokens"),
    Work(f"{CHATS} chats at once, 64 tokens each", "tokens/s", CHATS, 0, 64, "completion_tokens"),
    Work("prefill of about 960 tokens", "tokens/s", 1, 480, 1, "prompt_tokens"),
    Work(f"{CHATS} at once, 550 tokens in, 32 out", "s", CHATS, 262, 32, ""),
]


@dataclass
class Contender:
    engine: Engine
    port: int
    best: dict[str, float] = field(default_factory=dict)


def main() -> None:
    model = Store(require_models()).find(MODEL)
    if model is None:
        raise SystemExit(f"{MODEL} is not in the test store: run 'python -m tests.models' first")
    with ExitStack() as workers:
        contenders = [
            Contender(engine, workers.enter_context(_worker(engine, model)))
            for engine in (LlamaCpp(), OpenVino())
        ]
        asyncio.run(_compare(contenders))
    llamacpp, openvino = contenders
    print(f"{MODEL} {model.variant}, {os.cpu_count()} threads, best of {ROUNDS} rounds\n")
    print("| work | llama.cpp | OpenVINO | ratio |")
    print("|---|--:|--:|--:|")
    for work in WORKS:
        theirs, ours = llamacpp.best[work.name], openvino.best[work.name]
        ratio = ours / theirs if work.counts else theirs / ours
        print(f"| {work.name} ({work.unit}) | {theirs:.4g} | {ours:.4g} | {ratio:.2f} × |")


@contextmanager
def _worker(engine: Engine, model: StoredModel) -> Iterator[int]:
    port = free_port()
    options = {"parallel": CHATS, "cache_gb": 2} if engine.name == "llamacpp" else {}
    launch = Launch(model, port, os.cpu_count() or 1, options)
    process = subprocess.Popen(engine.command(launch), stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


async def _compare(contenders: list[Contender]) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(600)) as http:
        for contender in contenders:
            await _ready(http, contender)
            await _measure(http, contender, WORKS[0], 0)  # warm up
        for number in range(1, ROUNDS + 1):
            for work in WORKS:
                for contender in contenders:
                    rate = await _measure(http, contender, work, number)
                    better = max if work.counts else min
                    contender.best[work.name] = better(contender.best.get(work.name, rate), rate)


async def _ready(http: aiohttp.ClientSession, contender: Contender) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            async with http.get(f"http://127.0.0.1:{contender.port}/health") as response:
                if response.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise SystemExit(f"{contender.engine.name} did not start")


async def _measure(
    http: aiohttp.ClientSession, contender: Contender, work: Work, number: int
) -> float:
    started = time.monotonic()
    calls = [_call(http, contender, work, number * 100 + index) for index in range(work.calls)]
    usages = await asyncio.gather(*calls)
    seconds = time.monotonic() - started
    return work.rate(sum(usage.get(work.counts, 0) for usage in usages), seconds)


async def _call(
    http: aiohttp.ClientSession, contender: Contender, work: Work, number: int
) -> dict[str, int]:
    """The usage of one streamed answer. Every prompt begins with another number, so that neither
    engine has any of it in its cache."""
    filler = " ".join(f"Item {i}" for i in range(work.words // 2))
    text = f"{number}: Tell me a very long story about the number {number}. {filler}"
    body: dict[str, Any] = {
        "model": MODEL,
        "messages": [{"role": "system", "content": f"{number}"}, {"role": "user", "content": text}],
        "max_tokens": work.max_tokens,
        "temperature": 0.8,
        "seed": number,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    usage: dict[str, int] = {}
    url = f"http://127.0.0.1:{contender.port}/v1/chat/completions"
    async with http.post(url, json=body) as response:
        async for line in response.content:
            if line.startswith(b"data: {"):
                usage = json.loads(line[6:]).get("usage") or usage
    return usage


if __name__ == "__main__":
    main()
