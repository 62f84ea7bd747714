"""Worker processes in tests: started by their engine, spoken to with the openai package."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai import OpenAI

from headstart.hub.cards import Task
from headstart.hub.stored import StoredModel
from headstart.serving.engines.base import Engine, Launch
from headstart.serving.replica import free_port

KEY = "a-key-of-this-test"


@dataclass
class Worker:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def client(self) -> OpenAI:
        return OpenAI(
            base_url=f"http://127.0.0.1:{self.port}/v1", api_key=KEY, max_retries=0, timeout=100
        )

    def chat(self, text: str, **more: Any) -> Any:
        """One user message through `chat.completions.create`, whichever overload that is."""
        create: Any = self.client.chat.completions.create
        return create(**{"model": "m", "messages": [{"role": "user", "content": text}], **more})

    def complete(self, prompt: Any, **more: Any) -> Any:
        create: Any = self.client.completions.create
        return create(model="m", prompt=prompt, **more)

    def get(self, path: str) -> Any:
        return self._send(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}"))

    def post(self, path: str, body: Any) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._send(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data))

    def _send(self, request: urllib.request.Request) -> Any:
        request.add_header("Authorization", f"Bearer {KEY}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=100) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            return {"status": error.code, **json.load(error)}


@contextmanager
def running(
    engine: Engine, model: StoredModel, folder: Path, options: dict[str, Any] | None = None
) -> Iterator[Worker]:
    """A worker that is ready; ended when the block ends."""
    log = folder / "worker.log"
    port = free_port()
    launch = Launch(model, port, os.cpu_count() or 1, options or {})
    with log.open("wb") as output:
        process = subprocess.Popen(
            engine.command(launch),
            stdout=output,
            stderr=output,
            env={**os.environ, "HEADSTART_WORKER_KEY": KEY},
        )
    worker = Worker(process, port, log)
    try:
        until(lambda: _healthy(worker), 110)
        yield worker
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def echo_model(context_length: int = 4096) -> StoredModel:
    return StoredModel(
        "echo", "echo", Task.CHAT, Path("/dev/null"), 0, "echo", context_length=context_length
    )


def stored(store: Path, name: str, task: Task, context_length: int) -> StoredModel:
    """A model of the test store: its first variant."""
    folder = next(path for path in (store / name).iterdir() if path.is_dir())
    gguf = folder / "model.gguf"
    return StoredModel(
        name, folder.name, task, gguf if gguf.exists() else folder, 0, "", context_length
    )


def _healthy(worker: Worker) -> bool:
    assert worker.process.poll() is None, worker.log.read_text("utf-8")
    try:
        return "status" in worker.get("/health") and worker.get("/health")["status"] == "ok"
    except OSError:
        return False
