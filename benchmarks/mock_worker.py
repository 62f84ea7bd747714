"""A worker that costs next to nothing, so that a measurement of the gateway is one of the gateway.

Its answers are made once, when it starts; a request is looked at no further than its path and
`"stream":true`. It asks for no key. `Mock` is the engine that starts it: `installed` makes it known
to a server through an entry point, as any plugin would.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, ClassVar, cast

import uvloop

from headstart.hub.stored import StoredModel
from headstart.serving.engines.base import Engine, Launch

WORDS = "one two three four five six seven eight"
PROMPT = f"<|user|>\n{WORDS}\n<|assistant|>\n"
_USAGE = {"prompt_tokens": 8, "completion_tokens": 8, "total_tokens": 16}


class Mock(Engine):
    """Starts this module as a worker."""

    name: ClassVar[str] = "mock"
    answers_whole: ClassVar[bool] = True

    def refusal(self, model: StoredModel) -> str | None:
        return None

    def command(self, launch: Launch) -> list[str]:
        return [sys.executable, __file__, str(launch.port)]


def installed(folder: Path) -> dict[str, str]:
    """Make `Mock` an installed plugin of processes with this environment."""
    info = folder / "headstart_benchmark-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: headstart-benchmark\nVersion: 0\n")
    (info / "entry_points.txt").write_text(
        "[headstart.engines]\nmock = benchmarks.mock_worker:Mock\n"
    )
    paths = [str(folder), str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        self._received = b""
        path = head.split(b" ", 2)[1]
        streams = path.endswith(b"/completions") and b'"stream":true' in body
        self._transport.write(_STREAM if streams else _WHOLE.get(path, _NOT_FOUND))


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


def _whole(body: Any, status: str = "200 OK") -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def _stream() -> bytes:
    """One chunk per word, each in an HTTP chunk of its own."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": f"{word} "} for word in WORDS.split()]
    chunks = [_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    chunks[0]["prompt"] = PROMPT  # as our own workers do
    chunks.append(_chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}]))
    chunks.append({**_chunk([]), "usage": _USAGE})
    events = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    events.append(b"data: [DONE]\n\n")
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    body = b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events)
    return head + body + b"0\r\n\r\n"


def _chunk(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {**_head("chat.completion.chunk"), "choices": choices}


def _completion() -> dict[str, Any]:
    message = {"role": "assistant", "content": WORDS}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    head = _head("chat.completion")
    return {**head, "choices": [choice], "usage": _USAGE, "prompt": PROMPT}


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-mock", "object": kind, "created": 0, "model": "mock"}


_STREAM = _stream()
_WHOLE = {
    b"/health": _whole({"status": "ok"}),
    b"/props": _whole({"n_ctx": 4096}),
    b"/apply-template": _whole({"prompt": PROMPT}),
    b"/v1/chat/completions": _whole(_completion()),
}
_NOT_FOUND = _whole({"error": {"message": "no such path"}}, "404 Not Found")


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
