"""A package index on loopback that real pip downloads from, and wheels to put on it."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

from headstart.hub.cards import Card, PackageSource, Source, Task, Variant, Wheel
from headstart.hub.catalogue import Catalogue


def make_wheel(name: str, members: dict[str, bytes], version: str = "1.0") -> bytes:
    info = f"{name}-{version}.dist-info"
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        metadata = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: torch\n"
        )
        archive.writestr(f"{info}/METADATA", metadata)
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "")
    return content.getvalue()


@dataclass
class PackageIndex:
    """Serves `wheels` by name. A wheel whose name is in `held` is sent when `release` is set."""

    url: str = ""
    wheels: dict[str, bytes] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    reached: threading.Event = field(default_factory=threading.Event)  # a held one is asked for
    release: threading.Event = field(default_factory=threading.Event)
    downloads: list[str] = field(default_factory=list)

    def add(self, name: str, members: dict[str, bytes], unpack: dict[str, str]) -> Wheel:
        """Offer a wheel; returns the catalogue's entry for it."""
        data = make_wheel(name, members)
        self.wheels[name] = data
        digest = hashlib.sha256(data).hexdigest()
        return Wheel(requirement=f"{name}==1.0", sha256=digest, bytes=len(data), members=unpack)

    def environment(self) -> dict[str, str]:
        """What makes pip use this index and no other."""
        return {
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": self.url,
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_CONSTRAINT": "",
        }


@contextmanager
def package_index() -> Iterator[PackageIndex]:
    index = PackageIndex()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(index))
    server.daemon_threads = True
    index.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield index
    finally:
        index.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(index: PackageIndex) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            filename = self.path.strip("/")
            if not filename:
                links = [f'<a href="{name}-1.0-py3-none-any.whl">x</a>' for name in index.wheels]
                self.send("text/html", "\n".join(links).encode())
                return
            name = filename.partition("-")[0]
            if name in index.held:
                index.reached.set()
                index.release.wait()
            index.downloads.append(name)
            self.send("application/zip", index.wheels[name])

        def send(self, kind: str, content: bytes) -> None:
            try:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                self.close_connection = True  # whoever asked is gone

        def log_message(self, format: str, *args: object) -> None:
            """Silence."""

    return Handler


def card(*sources: Source, name: str = "tiny", sha256: str | None = None) -> Card:
    """A card of an ONNX embedder whose one variant comes from these sources."""
    variant = Variant(name="onnx", format="onnx", bytes=1000, sha256=sha256, sources=list(sources))
    return Card(
        name=name,
        title="Tiny",
        description="",
        task=Task.EMBEDDING,
        family="tiny",
        parameters=10,
        license="MIT",
        context_length=128,
        languages=["en"],
        fine_tunable=False,
        homepage="",
        variants=[variant],
    )


def catalogue(*wheels: Wheel, sha256: str | None = None) -> Catalogue:
    return Catalogue([card(PackageSource(kind="package", wheels=list(wheels)), sha256=sha256)])
