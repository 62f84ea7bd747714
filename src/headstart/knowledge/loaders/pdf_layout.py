"""From PDFium's text lines to paragraphs and headings, by where the lines stand and how large.

PDFium gives the characters in reading order with line breaks but nothing above lines. Two rules
are enough for passages: a gap or a change of type size ends a paragraph; a short paragraph in
larger or bold type is a heading.
"""

from __future__ import annotations

import ctypes
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw

pdfium_c: Any = pypdfium2.raw  # a ctypes module that type checkers cannot look into

_BREAK = re.compile(r"\r\n|\r|\n")
_HYPHEN = re.compile(r"[\ufffe\x02]\s*")  # PDFium's mark for a word that it joined over a line end
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffd]")
_BULLET = re.compile(r"^[•▪●◦‣∙■□]\s*")
_MARKUP = re.compile(r"^(?=#{1,6}\s|>|```|~~~|=+\s*$|-+\s*$)")
_BOLD = re.compile(r"bold|black|heavy|demi|(?:cm|sf)bx\d", re.IGNORECASE)  # in a font's name
_GAP = 1.3  # lines further apart than this many usual line heights belong to two paragraphs
_LARGER = 1.1  # times the size of the body text, and it is a heading
_HEADING_CHARS = 160


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; coordinates in points, y upwards.

    A word that was hyphenated at a line's end makes one `Line` of two printed ones: `baseline` is
    that of its first character, `last_baseline` that of its last.
    """

    text: str
    size: float  # of the type, in points, as printed
    bold: bool
    upright: bool
    left: float
    right: float
    baseline: float
    last_baseline: float


def page_lines(textpage: pdfium.PdfTextPage) -> list[Line]:
    text = textpage.get_text_range()
    lines: list[Line] = []
    start = 0
    for part in _BREAK.split(text):
        if part.strip():
            first = start + len(part) - len(part.lstrip())
            last = start + len(part.rstrip()) - 1
            middle = (first + last) // 2
            while text[middle].isspace():  # PDFium makes up spaces, and those have no type
                middle += 1
            shown = _CONTROL.sub("", _HYPHEN.sub("", part)).strip()
            lines.append(_line(textpage, shown, first, middle, last))
        start += len(part)
        start += 2 if text.startswith("\r\n", start) else 1
    return _joined([line for line in lines if line.text])


def body_size(pages: Iterable[Sequence[Line]]) -> float:
    """The type size that most characters have."""
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0]


def page_markdown(lines: Sequence[Line], body: float) -> str:
    return "\n\n".join(_paragraph(group, body) for group in _groups(lines))


def _line(textpage: pdfium.PdfTextPage, text: str, *offsets: int) -> Line:
    """A line, seen through the characters at these offsets: its first, a middle and its last."""
    raw = textpage.raw
    start, middle, end = (
        max(0, pdfium_c.FPDFText_GetCharIndexFromTextIndex(raw, offset)) for offset in offsets
    )
    matrix = pdfium_c.FS_MATRIX(a=1, d=1)
    pdfium_c.FPDFText_GetMatrix(raw, middle, ctypes.byref(matrix))
    left, right = _extent(raw, start)
    return Line(
        text,
        size=float(pdfium_c.FPDFText_GetFontSize(raw, middle)) * math.hypot(matrix.b, matrix.d),
        bold=all(_BOLD.search(_font_name(raw, index)) for index in (middle, end)),
        upright=abs(matrix.a) > abs(matrix.b),
        left=left,
        right=max(right, _extent(raw, end)[1]),
        baseline=_baseline(raw, start),
        last_baseline=_baseline(raw, end),
    )


def _font_name(raw: object, index: int) -> str:
    name = ctypes.create_string_buffer(128)
    pdfium_c.FPDFText_GetFontInfo(raw, index, name, len(name), None)
    return name.value.decode("utf-8", errors="replace")


def _extent(raw: object, index: int) -> tuple[float, float]:
    box = pdfium_c.FS_RECTF()
    pdfium_c.FPDFText_GetLooseCharBox(raw, index, ctypes.byref(box))
    return box.left, box.right


def _baseline(raw: object, index: int) -> float:
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium_c.FPDFText_GetCharOrigin(raw, index, ctypes.byref(x), ctypes.byref(y))
    return y.value


def _joined(lines: Sequence[Line]) -> list[Line]:
    """Put back together what PDFium broke at a superscript or a wide gap within one line."""
    joined: list[Line] = []
    for line in lines:
        before = joined[-1] if joined else None
        if before and _beside(before, line):
            tight = line.left - before.right < 0.15 * before.size
            longer = max(before, line, key=lambda part: len(part.text))
            joined[-1] = replace(
                longer,
                text=before.text + ("" if tight else " ") + line.text,
                left=before.left,
                right=max(before.right, line.right),
            )
        else:
            joined.append(line)
    return joined


def _beside(before: Line, line: Line) -> bool:
    level = abs(before.last_baseline - line.baseline) < 0.45 * max(before.size, line.size)
    return level and line.left >= before.right - 0.3 * before.size


def _groups(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines put into paragraphs."""
    pitches = sorted(
        (above.last_baseline - below.baseline) / below.size
        for above, below in itertools.pairwise(lines)
        if below.size and 0 < above.last_baseline - below.baseline < 3 * below.size
    )
    usual = pitches[len(pitches) // 3] if pitches else math.inf
    groups: list[list[Line]] = []
    for line in lines:
        if groups and not _starts_paragraph(groups[-1][-1], line, usual):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _starts_paragraph(above: Line, line: Line, usual: float) -> bool:
    """`usual`: the distance of lines on this page, in type sizes."""
    if _BULLET.match(line.text):
        return True
    if abs(line.size - above.size) > 0.08 * above.size or line.bold != above.bold:
        return True
    drop = above.last_baseline - line.baseline
    if drop < 0:  # the top of the next column: the sentence may go on
        return above.text[-1] in ".!?:;"
    return drop > _GAP * usual * line.size


def _paragraph(group: Sequence[Line], body: float) -> str:
    text = "\n".join(_MARKUP.sub(r"\\", _BULLET.sub("- ", line.text)) for line in group)
    size = group[0].size
    if (
        len(text) > _HEADING_CHARS
        or len(group) > 3
        or not any(map(str.isalpha, text))
        or not group[0].upright
    ):
        return text
    if size > _LARGER * body:
        level = 1 if size > 1.6 * body else 2 if size > 1.3 * body else 3
    elif group[0].bold and not _BULLET.match(group[0].text) and text[-1] not in ".,;:":
        level = 4
    else:
        return text
    return f"{'#' * level} {' '.join(line.text for line in group)}"
