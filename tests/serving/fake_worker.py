"""A worker without a model that misbehaves on request: the last message says how.

Run as a script: `fake_worker.py PORT [--crash | --mute | --gate FILE]`.
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

from aiohttp import web

CONTEXT = 64


def say(*words: object) -> None:
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


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


async def send(response: web.StreamResponse, payload: dict[str, Any] | str) -> None:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    await response.write(f"data: {text}\n\n".encode())


def error(status: int, **body: Any) -> web.Response:
    return web.json_response({"error": body}, status=status)


async def chat(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    say("request", json.dumps(body))
    ask = body["messages"][-1]["content"]
    if ask == "too long":
        return error(
            400,
            code=400,
            type="exceed_context_size_error",
            message="the request exceeds the available context size",
            n_prompt_tokens=100,
            n_ctx=CONTEXT,
        )
    if ask == "bad value":
        return error(400, message="top_p is odd", param="top_p", code="odd_value", type="x")
    if ask == "worker bug":
        return error(500, message="segment fault", type="server_error")
    if ask == "die at once":
        os.kill(os.getpid(), signal.SIGKILL)
    if ask == "hang":
        os.kill(os.getpid(), signal.SIGSTOP)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    more = {"prompt": "as the model saw it"} if ask == "prompt in band" else {}
    await send(response, chunk("Hel", **more))
    if ask == "die":
        await send(response, chunk("lo"))
        os.kill(os.getpid(), signal.SIGKILL)
    if ask == "fail late":
        await send(response, {"error": {"message": "out of blocks", "code": 500}})
        return response
    if ask == "endless":
        try:
            while True:
                await send(response, chunk("x"))
                await asyncio.sleep(0.01)
        except (ConnectionError, asyncio.CancelledError):
            say("aborted")
            raise
    if ask == "until the gate opens":
        while not Path(body["messages"][0]["content"]).exists():
            await asyncio.sleep(0.01)
    if ask == "usage with the last choice":
        await send(response, chunk("lo", "stop", usage=usage(2)))
    else:
        await send(response, chunk("lo"))
        await send(response, chunk(None, "stop"))
        if ask != "no usage":
            await send(response, {**chunk(None), "choices": [], "usage": usage(2)})
    if ask != "no done":
        await send(response, "[DONE]")
    return response


def usage(completion: int) -> dict[str, int]:
    return {"prompt_tokens": 3, "completion_tokens": completion, "total_tokens": 3 + completion}


async def complete(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    common = {"id": "w", "object": "text_completion", "created": 1, "model": "w"}
    for text, reason in ((body["prompt"], None), ("!", "length")):
        choice = {"index": 0, "text": text, "finish_reason": reason, "logprobs": None}
        await send(response, {**common, "choices": [choice]})
    await send(response, {**common, "choices": [], "usage": usage(2)})
    await send(response, "[DONE]")
    return response


async def embed(request: web.Request) -> web.Response:
    body = await request.json()
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    is_base64 = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": i, "embedding": "AACAPw==" if is_base64 else [1.0, 0.5]}
        for i in range(len(texts))
    ]
    tokens = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return web.json_response({"object": "list", "model": "w", "data": data, "usage": tokens})


async def template(request: web.Request) -> web.Response:
    body = await request.json()
    text = "".join(f"<{m['role']}>{m['content']}" for m in body["messages"])
    if "slow template" in text:
        await asyncio.sleep(3600)
    return web.json_response({"prompt": text})


async def tokenize(request: web.Request) -> web.Response:
    return web.json_response({"tokens": list(range(len((await request.json())["content"])))})


async def health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def props(_request: web.Request) -> web.Response:
    return web.json_response({"default_generation_settings": {"n_ctx": CONTEXT}})


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
    app = web.Application()
    app.router.add_get("/health", health)
    app.router.add_get("/props", props)
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_post("/v1/completions", complete)
    app.router.add_post("/v1/embeddings", embed)
    app.router.add_post("/apply-template", template)
    app.router.add_post("/tokenize", tokenize)

    async def wait_for_gate(_app: web.Application) -> None:
        while args.mute or (args.gate is not None and not args.gate.exists()):
            await asyncio.sleep(0.01)

    app.on_startup.append(wait_for_gate)
    web.run_app(app, host="127.0.0.1", port=args.port, print=None, handler_cancellation=True)


if __name__ == "__main__":
    main()
