"""Texts of pages put together to one document that remembers where each page starts."""

from __future__ import annotations

from collections.abc import Iterable

from headstart.knowledge.loaders.text import first_heading
from headstart.knowledge.passages import Document


def paged(pages: Iterable[str], title: str | None = None) -> Document:
    """A document of these pages, in order. A page without text starts where the next one does."""
    parts: list[str] = []
    starts: list[int] = []
    end = 0
    for page in pages:
        starts.append(end)
        body = page.strip()
        if body:
            parts.append(body)
            end += len(body) + len("\n\n")
    text = "\n\n".join(parts)
    return Document(text, title or first_heading(text), tuple(min(s, len(text)) for s in starts))
