"""CSV and TSV files, with whatever delimiter and encoding they have."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import ClassVar

from headstart.knowledge.loaders.base import Loader, LoadError
from headstart.knowledge.loaders.encodings import decode
from headstart.knowledge.loaders.tables import markdown_table
from headstart.knowledge.passages import Document

_SAMPLE = 2**14


class Delimited(Loader):
    suffixes: ClassVar = (".csv", ".tsv", ".tab")

    def load(self, path: Path, filename: str) -> Document:
        text = decode(path.read_bytes(), filename)
        csv.field_size_limit(len(text) + 1)
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
        try:
            return Document(markdown_table(rows))
        except csv.Error as error:
            raise LoadError(
                "invalid", f"'{filename}' cannot be read as a table: {error}."
            ) from error


def _delimiter(text: str) -> str:
    """The character that splits the first lines into the most, equally many, fields."""
    lines = [line for line in text[:_SAMPLE].splitlines()[:20] if line.strip()]
    best, most = ",", 0
    for candidate in (",", ";", "\t", "|"):
        counts = [len(row) for row in csv.reader(lines, delimiter=candidate)]
        usual = max(set(counts), key=counts.count, default=0)
        if usual > 1 and usual * counts.count(usual) > most:
            best, most = candidate, usual * counts.count(usual)
    return best
