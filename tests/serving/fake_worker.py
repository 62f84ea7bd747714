"""A worker without a model that misbehaves on request: the last message says how.

Run as a script: `fake_worker.py PORT [--crash | --mute | --gate FILE]`. Standard library only, so
that it starts in no time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

CONTEXT = 64


def say(*words: object) -> None:
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


class Reply:
    """One answer: whole with `json`, or a stream of `event`s between `begin` and the end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.streams = False

    async def json(self, body: Any, status: int = 200) -> None:
        content = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n"
        self._writer.write(head.encode() + content)
        await self._writer.drain()

    async def error(self, status: int, **body: Any) -> None:
        await self.json({"error": body}, status)

    async def event(self, payload: dict[str, Any] | str) -> None:
        if not self.streams:
            self.streams = True
            self._writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n"
            )
        text = payload if isinstance(payload, str) else json.dumps(payload)
        data = f"data: {text}\n\n".encode()
        self._writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await self._writer.drain()

    async def gone(self) -> None:
        """Wait until the caller closes the connection."""
        await self._reader.read(1)

    async def end(self) -> None:
        if self.streams:
            self._writer.write(b"0\r\n\r\n")
            await self._writer.drain()


def chunk(content: str | None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "worker-id",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "/weights",
        "choices": [choice],
        **more,
    }


def usage(completion: int) -> dict[str, int]:
    return {"prompt_tokens": 3, "completion_tokens": completion, "total_tokens": 3 + completion}


async def refuse(ask: str, reply: Reply) -> bool:
    if ask == "too long":
        await reply.error(
            400,
            code=400,
            type="exceed_context_size_error",
            message="the request exceeds the available context size",
            n_prompt_tokens=100,
            n_ctx=CONTEXT,
        )
    elif ask == "bad value":
        await reply.error(400, message="top_p is odd", param="top_p", code="odd_value", type="x")
    elif ask == "worker bug":
        await reply.error(500, message="segment fault", type="server_error")
    else:
        return False
    return True


async def chat(body: Any, reply: Reply) -> None:
    say("request", json.dumps(body))
    ask = body["messages"][-1]["content"]
    if await refuse(ask, reply):
        return
    if ask == "die at once":
        os.kill(os.getpid(), signal.SIGKILL)
    if not body.get("stream"):
        await whole(ask, reply)
        return
    more = {"prompt": "as the model saw it"} if ask == "prompt in band" else {}
    await reply.event(chunk("Hel", **more))
    if ask == "die":
        await reply.event(chunk("lo"))
        os.kill(os.getpid(), signal.SIGKILL)
    if ask == "fail late":
        await reply.event({"error": {"message": "out of blocks", "code": 500}})
        return
    if ask == "endless":
        await endless(reply)
    if ask == "until the gate opens":
        while not Path(body["messages"][0]["content"]).exists():
            await asyncio.sleep(0.01)
    if ask == "usage with the last choice":
        await reply.event(chunk("lo", "stop", usage=usage(2)))
    else:
        await reply.event(chunk("lo"))
        await reply.event(chunk(None, "stop"))
        if ask != "no usage":
            await reply.event({**chunk(None), "choices": [], "usage": usage(2)})
    if ask != "no done":
        await reply.event("[DONE]")


async def whole(ask: str, reply: Reply) -> None:
    if ask == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if ask == "endless":
        await reply.gone()
        say("aborted")
        return
    message = {"role": "assistant", "content": "Hello", "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    answer = {**chunk(None), "object": "chat.completion", "choices": [choice], "usage": usage(2)}
    await reply.json({**answer, "prompt": "as the model saw it"})


async def endless(reply: Reply) -> None:
    try:
        while True:
            await reply.event(chunk("x"))
            await asyncio.sleep(0.01)
    except ConnectionError:
        say("aborted")
        raise


async def complete(body: Any, reply: Reply) -> None:
    common = {"id": "w", "object": "text_completion", "created": 1, "model": "w"}
    for text, reason in ((body["prompt"], None), ("!", "length")):
        choice = {"index": 0, "text": text, "finish_reason": reason, "logprobs": None}
        await reply.event({**common, "choices": [choice]})
    await reply.event({**common, "choices": [], "usage": usage(2)})
    await reply.event("[DONE]")


async def embed(body: Any, reply: Reply) -> None:
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    is_base64 = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": i, "embedding": "AACAPw==" if is_base64 else [1.0, 0.5]}
        for i in range(len(texts))
    ]
    tokens = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    await reply.json({"object": "list", "model": "w", "data": data, "usage": tokens})


async def template(body: Any, reply: Reply) -> None:
    text = "".join(f"<{m['role']}>{m['content']}" for m in body["messages"])
    if "slow template" in text:
        await asyncio.sleep(3600)
    await reply.json({"prompt": text})


async def tokenize(body: Any, reply: Reply) -> None:
    await reply.json({"tokens": list(range(len(body["content"])))})


async def health(_body: Any, reply: Reply) -> None:
    await reply.json({"status": "ok"})


async def props(_body: Any, reply: Reply) -> None:
    await reply.json({"default_generation_settings": {"n_ctx": CONTEXT}})


ROUTES = {
    "/health": health,
    "/props": props,
    "/v1/chat/completions": chat,
    "/v1/completions": complete,
    "/v1/embeddings": embed,
    "/apply-template": template,
    "/tokenize": tokenize,
}


async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = head.split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
            content = await reader.readexactly(int(headers.get("content-length", 0)))
            reply = Reply(reader, writer)
            if headers.get("authorization") != f"bearer {os.environ['HEADSTART_WORKER_KEY']}":
                await reply.error(401, message="not the server's key")
                continue
            await ROUTES[lines[0].split()[1]](json.loads(content or b"null"), reply)
            await reply.end()
    except (ConnectionError, asyncio.IncompleteReadError):
        writer.close()


async def serve(port: int, mute: bool, gate: Path | None) -> None:
    while mute or (gate is not None and not gate.exists()):
        await asyncio.sleep(0.01)
    server = await asyncio.start_server(connection, "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--crash", action="store_true", help="end at once")
    parser.add_argument("--mute", action="store_true", help="never listen")
    parser.add_argument("--gate", type=Path, help="listen once this file exists")
    args = parser.parse_args()
    say("fake worker on", args.port)
    if args.crash:
        sys.exit("cannot load these weights: bad magic")
    asyncio.run(serve(args.port, args.mute, args.gate))


if __name__ == "__main__":
    main()
