"""Word, PowerPoint and EPUB files, by markitdown's converters.

Word and EPUB have no pages; their headings say where a passage is. A slide is a page. Images are
kept as their alternative text. Comments, headers and footers are left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from headstart.knowledge.loaders.base import Loader
from headstart.knowledge.loaders.pages import paged
from headstart.knowledge.loaders.text import first_heading
from headstart.knowledge.passages import Document

_STYLES = "p[style-name='Title'] => h1:fresh"
_SLIDE = re.compile(r"<!-- Slide number: (\d+) -->\n?")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")


class Word(Loader):
    suffixes: ClassVar = (".docx", ".docm")

    def load(self, path: Path, filename: str) -> Document:
        text, _ = _convert("DocxConverter", path, style_map=_STYLES)
        return Document(text, first_heading(text))


class PowerPoint(Loader):
    suffixes: ClassVar = (".pptx", ".pptm")

    def load(self, path: Path, filename: str) -> Document:
        text, _ = _convert("PptxConverter", path)
        return paged(_headed(number, slide) for number, slide in enumerate(_slides(text), 1))


class Epub(Loader):
    suffixes: ClassVar = (".epub",)

    def load(self, path: Path, filename: str) -> Document:
        text, title = _convert("EpubConverter", path)
        return Document(text, title or first_heading(text))


def _convert(converter: str, path: Path, **options: Any) -> tuple[str, str | None]:
    import markitdown  # takes a second and 100 MB, so only a process that needs it pays
    from markitdown import converters

    with path.open("rb") as stream:
        result = getattr(converters, converter)().convert(
            stream, markitdown.StreamInfo(), table_infer_header=True, **options
        )
    text = _IMAGE.sub(r"\1", result.markdown).replace("\v", "\n")
    return text, result.title


def _headed(number: int, slide: str) -> str:
    """A slide under a heading of its own, so that it is not taken to stand under the last one."""
    slide = slide.strip().replace("### Notes:\n", "Notes:\n")
    if not slide or slide.startswith("# ") or "\n# " in slide:
        return slide
    return f"# Slide {number}\n\n{slide}"


def _slides(text: str) -> list[str]:
    """Split at the converter's slide comments; text that only looks like one has a wrong number."""
    starts: list[tuple[int, int]] = []
    for found in _SLIDE.finditer(text):
        if int(found[1]) == len(starts) + 1:
            starts.append((found.start(), found.end()))
    ends = [start for start, _ in starts[1:]] + [len(text)]
    return [text[begin:end] for (_, begin), end in zip(starts, ends, strict=True)]
