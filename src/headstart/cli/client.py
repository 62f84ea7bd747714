"""The CLI's way to the server: HTTP, as any other client.

Which server: `HEADSTART_URL` with `HEADSTART_API_KEY`, or else the one that runs on this home. Who
owns the home owns the server, so for that one the CLI makes itself a short-lived key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from headstart.errors import HeadstartError, Unavailable

_TIMEOUT = httpx2.Timeout(600, connect=10)


class Client:
    """Speaks JSON with the server; raises `HeadstartError` with the server's own message."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx2.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=_TIMEOUT
        )

    @classmethod
    def connect(cls) -> Self:
        """The server that the environment names, or the one on this home."""
        url, key = os.environ.get("HEADSTART_URL"), os.environ.get("HEADSTART_API_KEY")
        if url:
            if not key:
                raise HeadstartError("HEADSTART_URL is set, but HEADSTART_API_KEY is not.")
            return cls(url, key)
        from headstart.security.keys import local_key
        from headstart.settings import load
        from headstart.storage.database import Database
        from headstart.storage.lock import running_server

        settings = load()
        server = running_server(settings.home)
        if server is None:
            raise Unavailable(
                f"No server runs on {settings.home}. Start one with 'headstart up', or set "
                "HEADSTART_URL and HEADSTART_API_KEY to use one elsewhere."
            )
        return cls(server.address, key or local_key(Database(settings.sql_url)))

    def get(self, path: str, **params: Any) -> Any:
        given = {name: value for name, value in params.items() if value is not None}
        return self._send("GET", path, params=given)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._send("POST", path, json=dict(body or {}))

    def delete(self, path: str) -> Any:
        return self._send("DELETE", path)

    def upload(self, path: Path, purpose: str = "assistants") -> Any:
        """Send a file to `/v1/files`."""
        with path.open("rb") as stream:
            files = {"file": (path.name, stream, "application/octet-stream")}
            return self._send("POST", "/v1/files", files=files, data={"purpose": purpose})

    def stream(self, path: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The JSON payloads of a server-sent event stream, one by one."""
        try:
            with self._http.stream("POST", path, json={**body, "stream": True}) as response:
                if response.is_error:
                    response.read()
                    raise _error(response)
                for line in response.iter_lines():
                    payload = line.removeprefix("data: ")
                    if not payload or payload == line or payload == "[DONE]":
                        continue
                    event = json.loads(payload)
                    if "error" in event:
                        raise HeadstartError(event["error"]["message"])
                    yield event
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, method: str, path: str, **kwargs: Any) -> Any:
        try:
            response = self._http.request(method, path, **kwargs)
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error
        if response.is_error:
            raise _error(response)
        return response.json() if response.content else None

    def _unreachable(self, error: Exception) -> Unavailable:
        return Unavailable(f"The server at {self.url} does not answer ({error}).")


def _error(response: httpx2.Response) -> HeadstartError:
    try:
        body = response.json()["error"]
        return HeadstartError(body["message"], param=body.get("param"), code=body.get("code"))
    except (ValueError, KeyError, TypeError):
        return HeadstartError(f"The server answered {response.status_code}: {response.text[:200]}")
