"""Documents cut into passages that an embedder can take in whole.

A passage keeps to the structure: it does not cross a page, prefers to hold whole sections, then
whole paragraphs, tables and code blocks, then sentences, rows and lines; words are parted only
where nothing else helps. Every passage is an exact span of the document. What it is about (title
and headings) is not repeated in its text but goes before it in `embedding_text`, and counts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, takewhile

from tokenizers import Tokenizer

from headstart.errors import BadRequest
from headstart.knowledge.blocks import Block, blocks
from headstart.knowledge.passages import Chunk, Document
from headstart.knowledge.pieces import Cut, Piece, Splitter
from headstart.knowledge.tokens import TokenCounter

_CONTEXT_SHARE = 4  # title and headings get at most one token in so many
_SMALL_SHARE = 4  # a section with less than one token in so many joins its neighbour
_LEAST_SHARE = 3  # a passage is not cut before it has one token in so many, if more follows


def embedding_text(chunk: Chunk) -> str:
    """What is embedded and searched: title and headings, then the text."""
    return f"{chunk.context}\n\n{chunk.text}" if chunk.context else chunk.text


def chunk(
    document: Document,
    *,
    count: Tokenizer | Callable[[str], int] | TokenCounter,
    max_tokens: int = 256,
    overlap: int = 0,
) -> list[Chunk]:
    """Passages of at most `max_tokens` tokens each, title and headings included, in order.

    The limit holds for `embedding_text(chunk)` as `count` counts it; only a single character that
    has more tokens is let through. With `overlap`, a passage within a section begins with the
    whole sentences, up to so many tokens, that end the passage before it.

    Make the `TokenCounter` once for many documents: it copies the tokenizer.
    """
    if max_tokens < 1 or not 0 <= overlap <= max_tokens // 2:
        raise BadRequest(
            f"Cannot cut into passages of {max_tokens} tokens that share {overlap}: "
            "a passage needs at least 1 token, and may share at most half of its tokens.",
            param="chunking_strategy",
        )
    counter = count if isinstance(count, TokenCounter) else TokenCounter(count)
    return _Chunking(document, counter, max_tokens, overlap).chunks()


@dataclass(slots=True)
class _Section:
    """What stands under one heading on one page, or several small such sections."""

    pieces: list[Piece]
    path: tuple[str, ...]
    page: int | None

    @property
    def tokens(self) -> int:
        return sum(piece.tokens for piece in self.pieces)


@dataclass(slots=True)
class _Passage:
    """Pieces on their way to a chunk. The first `repeated` ones are overlap."""

    pieces: list[Piece]
    path: tuple[str, ...]
    page: int | None
    repeated: int = 0


class _Chunking:
    """One document being cut."""

    def __init__(
        self, document: Document, counter: TokenCounter, max_tokens: int, overlap: int
    ) -> None:
        self._document = document
        self._counter = counter
        self._max_tokens = max_tokens
        self._overlap = overlap
        self._splitter = Splitter(document.text, counter, max_tokens)
        self._contexts: dict[tuple[str, ...], str] = {}

    def chunks(self) -> list[Chunk]:
        sections = list(self._sections())
        budget = self._budget(section.path for section in sections)
        self._splitter.measure(piece for section in sections for piece in section.pieces)
        for section in sections:
            self._set_limits(section.pieces, budget)
        self._splitter.fit([section.pieces for section in sections])
        passages = [
            passage
            for section in _merged(sections, budget)
            for passage in self._passages(section, budget)
        ]
        return self._bounded(passages)

    # --- from the document to sections -----------------------------------------------------

    def _sections(self) -> Iterator[_Section]:
        stack: list[tuple[int, str]] = []
        section: _Section | None = None
        bare = False  # the section has headings only
        for block, page in self._paged_blocks():
            heading = block.kind == "heading"
            if heading:
                stack = [*_above(stack, block.level), (block.level, block.title)]
            path = tuple(title for _, title in stack if title)
            if section and (page != section.page or (heading and not bare)):
                yield section
                section = None
            piece = Piece(block.start, block.end, block.kind, Cut.NEVER if bare else Cut.BLOCK)
            if section:
                section.pieces.append(piece)
                section.path = path
            else:
                piece.cut = Cut.BLOCK
                section = _Section([piece], path, page)
            bare = heading
        if section:
            yield section

    def _paged_blocks(self) -> Iterator[tuple[Block, int | None]]:
        """Blocks with their page; one that crosses pages is parted there."""
        pages = self._document.pages
        for block in blocks(self._document.text):
            first = bisect_right(pages, block.start)
            last = bisect_left(pages, block.end)
            starts = [block.start, *pages[first:last]]
            for start, end in zip(starts, [*starts[1:], block.end], strict=True):
                if self._document.text[start:end].strip():
                    page = max(1, bisect_right(pages, start)) if pages else None
                    yield replace(block, start=start, end=end), page

    def _budget(self, paths: Iterable[tuple[str, ...]]) -> int:
        """Tokens that a passage's own text may have, next to the longest context."""
        prefixes = {path[:length] for path in paths for length in range(len(path) + 1)}
        cap = self._max_tokens // _CONTEXT_SHARE
        lines = [(path, " › ".join(self._parts(path))) for path in sorted(prefixes)]
        longest = 0
        for (path, line), tokens in zip(
            lines,
            self._counter.own([f"{line}\n\n" if line else "" for _, line in lines]),
            strict=True,
        ):
            self._contexts[path] = line if tokens <= cap else self._shortened(path, cap)
            longest = max(longest, min(tokens, cap))
        return max(1, self._max_tokens - self._counter.special - longest)

    def _parts(self, path: tuple[str, ...]) -> list[str]:
        title = " ".join((self._document.title or "").split())
        return [title, *path] if title and title not in path[:1] else list(path)

    def _shortened(self, path: tuple[str, ...], cap: int) -> str:
        """The innermost headings that fit, and of the innermost one at least its beginning."""
        parts = self._parts(path)
        while len(parts) > 1 and self._counter.own([" › ".join(parts) + "\n\n"])[0] > cap:
            parts = parts[1:]
        line = " › ".join(parts)
        while line and self._counter.own([line + "\n\n"])[0] > cap:
            line = line[: len(line) // 2].rstrip()
        return line

    def _set_limits(self, pieces: list[Piece], budget: int) -> None:
        """How large a piece may be: one that follows a heading leaves room for it."""
        above = 0
        for piece in pieces:
            room = budget - self._overlap - above
            piece.limit = room if 2 * room >= budget else budget - self._overlap
            if self._overlap:  # smaller pieces, so that some can be repeated
                piece.limit = max(1, min(piece.limit, self._overlap))
            above = above + piece.tokens if piece.kind == "heading" else 0

    # --- from sections to passages ---------------------------------------------------------

    def _passages(self, section: _Section, budget: int) -> Iterator[_Passage]:
        pieces = section.pieces
        for first, end in self._ranges(pieces, max(1, budget - self._overlap)):
            repeated = first
            tokens = 0
            while repeated and tokens + pieces[repeated - 1].tokens <= self._overlap:
                repeated -= 1
                tokens += pieces[repeated].tokens
            yield _Passage(pieces[repeated:end], section.path, section.page, first - repeated)

    def _ranges(self, pieces: list[Piece], budget: int) -> Iterator[tuple[int, int]]:
        """Cut a row of pieces where it hurts least, as `(first, end)` indexes."""
        sums = [0, *accumulate(piece.tokens for piece in pieces)]
        ends = [piece.end for piece in pieces]
        first = 0
        while first < len(pieces):
            within_chars = bisect_right(ends, pieces[first].start + self._splitter.max_chars)
            end = min(bisect_right(sums, sums[first] + budget) - 1, within_chars)
            end = max(end, first + 1)
            if end < len(pieces):
                end = _best_cut(pieces, sums, first, end, budget)
            yield first, end
            first = end

    # --- from passages to chunks -----------------------------------------------------------

    def _bounded(self, passages: list[_Passage]) -> list[Chunk]:
        """Passages as chunks, parted further where tokens of pieces do not add up to the whole."""
        while True:
            chunks = [self._chunk(passage) for passage in passages]
            counts = self._counter.counts([embedding_text(chunk) for chunk in chunks])
            parted = [
                part
                for passage, tokens in zip(passages, counts, strict=True)
                for part in (self._parted(passage) if tokens > self._max_tokens else [passage])
            ]
            if len(parted) == len(passages) and parted == passages:
                return chunks
            passages = parted

    def _parted(self, passage: _Passage) -> list[_Passage]:
        if passage.repeated:
            return [replace(passage, pieces=passage.pieces[passage.repeated :], repeated=0)]
        pieces = passage.pieces
        if len(pieces) == 1:
            pieces = self._splitter.halves(pieces[0])
        middle = len(pieces) // 2
        halves = (pieces[:middle], pieces[middle:]) if middle else (pieces,)
        return [replace(passage, pieces=half) for half in halves]

    def _chunk(self, passage: _Passage) -> Chunk:
        start, end = passage.pieces[0].start, passage.pieces[-1].end
        return Chunk(
            self._document.text[start:end],
            start,
            end,
            passage.path,
            passage.page,
            self._contexts[passage.path],
        )


def _merged(sections: Iterable[_Section], budget: int) -> Iterator[_Section]:
    """Small sections joined with their neighbours on the same page."""
    before: _Section | None = None
    tokens = 0
    for section in sections:
        own = section.tokens
        if (
            before
            and before.page == section.page
            and tokens + own <= budget
            and min(tokens, own) < budget // _SMALL_SHARE
        ):
            path = _shared(before.path, section.path)
            before = _Section([*before.pieces, *section.pieces], path, section.page)
            tokens += own
            continue
        if before:
            yield before
        before, tokens = section, own
    if before:
        yield before


def _above(stack: list[tuple[int, str]], level: int) -> list[tuple[int, str]]:
    """The headings, outermost first, that a heading of this level stands under."""
    return list(takewhile(lambda heading: heading[0] < level, stack))


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    pairs = zip(one, other, strict=False)
    return tuple(title for title, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _best_cut(pieces: list[Piece], sums: list[int], first: int, end: int, budget: int) -> int:
    """Where to end a passage that begins at `first` and can reach to `end`.

    The best kind of cut wins; among equals the one that fills the passage, or, when two passages
    are all that is left, the one that makes them equal.
    """
    rest = sums[-1] - sums[first]
    goal = rest / 2 if rest < 2 * budget else budget
    least = budget / _LEAST_SHARE
    choices = [k for k in range(first + 1, end + 1) if sums[k] - sums[first] >= least]
    return max(
        choices or [end],
        key=lambda k: (pieces[k].cut, -abs(sums[k] - sums[first] - goal)),
    )
