"""A worker's process: its arguments, its life from loading to SIGTERM.

It ends when its parent does (a killed server leaves no worker behind), when it is told to, and
when its backend can no longer answer: the supervisor then starts a fresh one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from headstart.serving.workers.base import Backend
from headstart.serving.workers.http import Service

_KEY = "HEADSTART_WORKER_KEY"
_DRAIN = 2  # seconds that answers in flight get after SIGTERM
_KEEP_ALIVE = 60  # seconds; longer than any client of ours keeps an idle connection
_PARENT_POLL = 0.5


@dataclass(frozen=True, slots=True)
class Arguments:
    """What an engine tells its worker."""

    name: str
    model: Path
    port: int
    threads: int
    context_length: int
    task: str = "chat"
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls) -> Arguments:
        parser = argparse.ArgumentParser()
        parser.add_argument("--name", required=True)
        parser.add_argument("--model", type=Path, required=True)
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument("--threads", type=int, required=True)
        parser.add_argument("--context-length", type=int, required=True)
        parser.add_argument("--task", default="chat")
        parser.add_argument("--options", type=json.loads, default={})
        return cls(**vars(parser.parse_args()))


def run(backend: Backend, arguments: Arguments) -> None:
    """Serve until told to stop. Exits with status 1 when the model cannot be loaded."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    end_with_parent()
    service = Service(backend, arguments.name, worker_key())
    config = uvicorn.Config(
        service.app(),
        host="127.0.0.1",
        port=arguments.port,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_DRAIN,
        lifespan="off",
        ws="none",
    )
    server = uvicorn.Server(config)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:  # uvloop, where it is
        failed = runner.run(_serve(server, service))
    backend.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if failed else 0)  # native threads of an engine may not end on their own


async def _serve(server: uvicorn.Server, service: Service) -> bool:
    """Whether the backend failed. Listens at once, so that health can say that it is loading."""
    failed = False
    loop = asyncio.get_running_loop()

    def fail() -> None:
        nonlocal failed
        failed = server.should_exit = True

    def fail_from_thread() -> None:
        loop.call_soon_threadsafe(fail)

    async def load() -> None:
        try:
            await asyncio.to_thread(service.backend.load)
        except Exception:
            traceback.print_exc()
            fail()
        else:
            service.ready = True

    service.backend.on_failure = fail_from_thread
    loading = asyncio.create_task(load())
    await server.serve()
    if not loading.done():
        os._exit(0)  # told to stop while a thread still loads
    return failed


def worker_key() -> str | None:
    """The key that this worker's server presents; no other process of ours inherits it."""
    return os.environ.pop(_KEY, None)


def end_with_parent() -> None:
    """Watch the parent from a thread and end this process with it."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_POLL)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
