"""Plain text, Markdown and source code: already text, so the work is to say what kind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from headstart.knowledge.loaders.base import Loader
from headstart.knowledge.loaders.encodings import decode
from headstart.knowledge.passages import Document

_CODE = {
    ".bash": "bash", ".c": "c", ".cc": "cpp", ".cfg": "ini", ".cpp": "cpp", ".cs": "csharp",
    ".css": "css", ".go": "go", ".h": "c", ".hpp": "cpp", ".ini": "ini", ".java": "java",
    ".js": "javascript", ".json": "json", ".jsonl": "json", ".jsx": "jsx", ".kt": "kotlin",
    ".lua": "lua", ".php": "php", ".pl": "perl", ".proto": "protobuf", ".ps1": "powershell",
    ".py": "python", ".r": "r", ".rb": "ruby", ".rs": "rust", ".scala": "scala", ".sh": "bash",
    ".sql": "sql", ".swift": "swift", ".toml": "toml", ".ts": "typescript", ".tsx": "tsx",
    ".xml": "xml", ".yaml": "yaml", ".yml": "yaml",
}  # fmt: skip
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_HEADING = re.compile(r"^#{1,2}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)


class PlainText(Loader):
    """Text without markup, taken as it is."""

    suffixes: ClassVar = (".txt", ".text", ".log", ".rst", ".adoc", ".org", ".tex", "")

    def load(self, path: Path, filename: str) -> Document:
        return Document(decode(path.read_bytes(), filename))


class Markdown(Loader):
    """Markdown, taken as it is; front matter becomes a code block, which Markdown can say."""

    suffixes: ClassVar = (".md", ".markdown", ".mdx")

    def load(self, path: Path, filename: str) -> Document:
        text = decode(path.read_bytes(), filename)
        title = None
        front = _FRONT_MATTER.match(text)
        if front:
            found = _TITLE.search(front[1])
            title = found[1].strip("\"'") if found else None
            text = f"```yaml\n{front[1]}```\n{text[front.end() :]}"
        return Document(text, title or first_heading(text))


class Code(Loader):
    """Source code and data files, as one fenced code block."""

    suffixes: ClassVar = tuple(_CODE)

    def load(self, path: Path, filename: str) -> Document:
        text = decode(path.read_bytes(), filename)
        ticks = max((len(run) for run in re.findall(r"`{3,}", text)), default=2) + 1
        fence = "`" * ticks
        language = _CODE[Path(filename).suffix.lower()]
        return Document(f"{fence}{language}\n{text.rstrip()}\n{fence}\n" if text.strip() else "")


def first_heading(text: str) -> str | None:
    """The first heading near the top of a Markdown text, the usual place of its title."""
    found = _HEADING.search(text, 0, 4000)
    return found[1] if found else None
