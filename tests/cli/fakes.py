"""A client that answers from a list, for commands that speak to the server."""

from __future__ import annotations

from typing import Any, Self

import pytest

from headstart.cli.client import Client


class FakeClient:
    """Gives the next of `answers` to each call, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.calls: list[tuple[str, str, Any]] = []

    @classmethod
    def install(cls, monkeypatch: pytest.MonkeyPatch) -> Self:
        client = cls()
        monkeypatch.setattr(Client, "connect", lambda: client)
        return client

    def get(self, path: str, **params: Any) -> Any:
        return self._answer("GET", path, params)

    def post(self, path: str, body: Any = None) -> Any:
        return self._answer("POST", path, body)

    def delete(self, path: str) -> Any:
        return self._answer("DELETE", path, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _answer(self, method: str, path: str, body: Any) -> Any:
        self.calls.append((method, path, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def endpoint(**more: Any) -> dict[str, Any]:
    """An endpoint as `/v1/endpoints` shows it."""
    return {
        "id": "ep_1",
        "object": "endpoint",
        "name": "chat",
        "model": "smollm2",
        "variant": None,
        "task": None,
        "engine": None,
        "requested_engine": "auto",
        "engine_reason": None,
        "status": "ready",
        "progress": None,
        "error": None,
        "pid": None,
        "memory_bytes": None,
        "context_length": None,
        "idle_timeout": None,
        "restarts": 0,
        "created_at": 1,
        **more,
    }
