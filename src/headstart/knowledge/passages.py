"""What passes between the steps of knowledge: a document, its chunks, and a passage found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Document:
    """A file as Markdown text. `pages[i]` is the offset where page i+1 starts, if it has pages."""

    text: str
    title: str | None = None
    pages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a document's text: `document.text[start:end] == text`."""

    text: str
    start: int
    end: int
    headings: tuple[str, ...] = ()  # the heading path, outermost first
    page: int | None = None  # 1-based; a chunk is on one page
    context: str = ""  # title and headings, as far as the embedder has room for them


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that a search found, with where it came from."""

    id: str  # chunk_…: stable while the file's text is
    store_id: str
    file_id: str
    filename: str
    text: str
    start: int
    end: int
    score: float  # fused, higher is better, in [0, 1]; ranks within one search
    similarity: float  # cosine of query and chunk embeddings: comparable between searches
    headings: tuple[str, ...] = ()
    page: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
