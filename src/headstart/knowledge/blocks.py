"""Where the blocks of a Markdown text are: headings, paragraphs, tables, code.

Only the block structure is parsed, by markdown-it, and in windows, so that memory stays small
and time linear for texts of any length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark").disable("reference")  # quadratic, and of no use here
_WINDOW = 2**18  # characters
_LEAVES = frozenset(["heading_open", "paragraph_open", "fence", "code_block", "html_block", "hr"])
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*\n?")
_HEADING_CHARS = 200

Kind = Literal["heading", "text", "table", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """A span of whole lines that belong together. Blocks cover everything but blank lines."""

    start: int
    end: int
    kind: Kind
    level: int = 0  # of a heading, 1 to 6
    title: str = ""  # of a heading, without markup


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a text, in order and without overlap."""
    position, size = 0, _WINDOW
    while position < len(text):
        end = _line_end(text, position + size)
        found = list(_window(text, position, end))
        if end < len(text):
            if len(found) < 2:  # one block fills the window: look further
                size *= 2
                continue
            found.pop()  # it may go on behind the window
        yield from found
        position = found[-1].end if found else len(text)
        size = _WINDOW


def _window(text: str, start: int, end: int) -> Iterator[Block]:
    source = text[start:end]
    tokens: list[Token] = []
    _PARSER.block.parse(source, _PARSER, {}, tokens)
    offsets = [0, *(found.end() for found in re.finditer("\n", source)), len(source)]
    covered = 0
    for index, token in enumerate(tokens):
        if token.type not in _LEAVES or token.map is None:
            continue
        first, last = offsets[token.map[0]], offsets[min(token.map[1], len(offsets) - 1)]
        if first < covered or last <= first:
            continue
        if source[covered:first].strip():  # what leaves no token: link definitions, empty items
            yield Block(start + covered, start + first, "text")
        yield _block(text, token, tokens[index + 1 : index + 2], start + first, start + last)
        covered = last
    if source[covered:].strip():
        yield Block(start + covered, end, "text")


def _block(text: str, token: Token, following: list[Token], start: int, end: int) -> Block:
    if token.type == "heading_open" and token.level == 0:  # not one within a quotation or a list
        title = _plain(following[0].content) if following else ""
        return Block(start, end, "heading", int(token.tag[1]), title)
    if token.type in ("fence", "code_block"):
        return Block(start, end, "code")
    if _is_table(text, start, end):
        return Block(start, end, "table")
    return Block(start, end, "text")


def _is_table(text: str, start: int, end: int) -> bool:
    """A line with a pipe over a line of dashes: markdown-it's own table rule is slower."""
    second = _line_end(text, start)
    third = min(end, _line_end(text, second))
    return text.find("|", start, second) >= 0 and bool(_TABLE_RULE.fullmatch(text, second, third))


def _plain(content: str) -> str:
    """A heading's text without its markup."""
    inline = _PARSER.parseInline(content[:_HEADING_CHARS])[0]
    parts = (child.content or " " for child in inline.children or [] if child.tag != "img")
    return " ".join("".join(parts).split())


def _line_end(text: str, position: int) -> int:
    """Behind the line that `position` is in."""
    found = text.find("\n", position)
    return len(text) if found < 0 else found + 1
