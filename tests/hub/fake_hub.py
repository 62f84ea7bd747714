"""A small Hugging Face hub on loopback: model info and files, with faults on demand."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER_COMMIT = "f" * 40


@dataclass
class FakeHub:
    """One repository. `cut_after`: bytes after which each download's connection is closed."""

    repo: str = "acme/tiny"
    files: dict[str, bytes] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    revisions: tuple[str, ...] = ("main", COMMIT)
    gated: bool = False
    cut_after: int | None = None
    lies: bool = False  # states another SHA-256 than the files have
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # (path, Range)
    tokens: list[str | None] = field(default_factory=list)
    url: str = ""

    def downloads(self, name: str) -> list[str | None]:
        """The Range headers of all requests for that file."""
        return [span for path, span in self.requests if path.endswith(f"/{name}")]

    def info(self) -> dict[str, Any]:
        siblings = [
            {
                "rfilename": name,
                "size": len(content),
                "blobId": hashlib.sha1(content).hexdigest(),
                "lfs": {
                    "sha256": hashlib.sha256(b"lie" if self.lies else content).hexdigest(),
                    "size": len(content),
                    "pointerSize": 100,
                },
            }
            for name, content in self.files.items()
        ]
        return {"id": self.repo, "sha": COMMIT, "siblings": siblings, "tags": [], **self.facts}


@contextmanager
def fake_hub(**options: Any) -> Iterator[FakeHub]:
    hub = FakeHub(**options)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            hub.requests.append((path, self.headers.get("Range")))
            hub.tokens.append(self.headers.get("Authorization"))
            api = re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/(.+)", path)
            file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
            repo, revision = (api or file).groups()[:2] if api or file else ("", "")  # type: ignore[union-attr]
            if repo != hub.repo:
                self.refuse(401, "RepoNotFound")
            elif hub.gated and self.headers.get("Authorization") != "Bearer hf_open":
                self.refuse(403, "GatedRepo")
            elif revision not in hub.revisions:
                self.refuse(404, "RevisionNotFound")
            elif api:
                self.send(json.dumps(hub.info()).encode())
            elif file and file.group(3) in hub.files:
                self.send_file(hub.files[file.group(3)])
            else:
                self.refuse(404, "EntryNotFound")

        def end_headers(self) -> None:
            self.send_header("Connection", "close")
            super().end_headers()

        def refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def send(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def send_file(self, content: bytes) -> None:
            start = int((self.headers.get("Range") or "bytes=0-")[6:].partition("-")[0])
            self.send_response(206 if start else 200)
            if start:
                span = f"bytes {start}-{len(content) - 1}/{len(content)}"
                self.send_header("Content-Range", span)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            body = content[start:]
            if hub.cut_after is not None and len(body) > hub.cut_after:
                body = body[: hub.cut_after]
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silence: pytest shows the requests that matter through `hub.requests`."""

    return Handler
