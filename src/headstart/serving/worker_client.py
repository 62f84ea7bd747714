"""HTTP to a worker: one keep-alive session, server-sent events, errors as ours.

Knows the protocol of workers (OpenAI's API, llama.cpp's `/apply-template`, `/tokenize` and error
types) and nothing of endpoints, calls or restarts.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
from yarl import URL

from headstart.errors import BadRequest, ContextTooLong, HeadstartError, Unavailable

_KEEPALIVE = 3.0  # seconds; shorter than any worker's, so that we close idle connections first
_BAD_REQUEST = range(400, 500)


class TransportError(Exception):
    """The worker could not be reached, or not to the end."""


class NotConnected(TransportError):
    """Nobody listened: nothing was sent."""


class Disconnected(TransportError):
    """The connection broke after the request may have been read."""


def new_session() -> aiohttp.ClientSession:
    """The session for all workers. An answer may take as long as it takes: workers that hang are
    found and killed by their supervisor, which breaks the connection."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


async def post(
    session: aiohttp.ClientSession, url: URL, headers: dict[str, str], body: bytes
) -> aiohttp.ClientResponse:
    """Send a request and wait for the head of a good answer. The caller closes the response."""
    try:
        response = await session.post(url, data=body, headers=headers)
    except aiohttp.ClientConnectorError as error:
        raise NotConnected(str(error)) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Disconnected(str(error) or type(error).__name__) from error
    if response.status == 200:
        return response
    raise _as_ours(response.status, _error_of(await read(response)))


async def events(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """The payloads of an event stream that ends with `[DONE]`.

    Takes one event per `data:` line, as every OpenAI-compatible server sends them. Reads on to the
    end of the body, so that the connection can be used again. Raises `Disconnected` when the
    stream ends without `[DONE]`.
    """
    rest, done = b"", False
    try:
        async for block in response.content.iter_any():
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            for line in lines:
                if line.startswith(b"data:"):
                    payload = line[5:].strip()
                    if payload == b"[DONE]":
                        done = True
                        continue
                    if payload.startswith(b'{"error"'):
                        raise _error_event(payload)
                    yield payload
                elif line.startswith(b"error:"):
                    raise _error_event(line[6:])
    except aiohttp.ClientError as error:
        raise Disconnected(str(error) or type(error).__name__) from error
    if not done:
        raise Disconnected("the stream ended early")


async def read(response: aiohttp.ClientResponse) -> bytes:
    """The whole body."""
    try:
        return await response.read()
    except aiohttp.ClientError as error:
        raise Disconnected(str(error) or type(error).__name__) from error
    finally:
        response.release()


def _error_event(payload: bytes) -> HeadstartError:
    error = _error_of(payload)
    code = error.get("code")
    return _as_ours(code if isinstance(code, int) else 500, error)


def _error_of(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        return {"message": content.decode("utf-8", "replace")[:500]}
    error = body.get("error", body) if isinstance(body, dict) else body
    return error if isinstance(error, dict) else {"message": str(error)}


def _as_ours(status: int, error: dict[str, Any]) -> HeadstartError:
    message = str(error.get("message") or f"the worker answered with status {status}")
    prompt, context = error.get("n_prompt_tokens"), error.get("n_ctx")
    if isinstance(prompt, int) and isinstance(context, int):
        return ContextTooLong(prompt, context)
    code = error.get("code")
    if status in _BAD_REQUEST:
        return BadRequest(
            message, param=error.get("param"), code=code if isinstance(code, str) else None
        )
    if status == 503:
        return Unavailable(message)
    return HeadstartError(f"The worker failed: {message}")
