"""One HTTP exchange with an ASGI application, from a client that may leave at any time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.types import ASGIApp, Message


class Exchange:
    """A request and what came back. `leave` closes the connection as a browser tab does."""

    def __init__(
        self, method: str, path: str, body: object, *, key: str | None = "hs-test"
    ) -> None:
        self._raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = [(b"content-type", b"application/json")]
        if key is not None:
            headers.append((b"authorization", f"Bearer {key}".encode()))
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "scheme": "http",
            "server": ("127.0.0.1", 80),
            "headers": headers,
        }
        self._sent = False
        self._gone = asyncio.Event()
        self.first_body = asyncio.Event()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def run(self, app: ASGIApp) -> None:
        await app(self._scope, self._receive, self._send)

    def leave(self) -> None:
        self._gone.set()

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[str]:
        """The data of each server-sent event."""
        return [part.removeprefix("data: ") for part in self.body.decode().split("\n\n") if part]

    async def _receive(self) -> Message:
        if not self._sent:
            self._sent = True
            return {"type": "http.request", "body": self._raw, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            self.body += message.get("body", b"")
            if self.body:
                self.first_body.set()
