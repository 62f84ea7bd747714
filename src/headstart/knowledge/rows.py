"""A row of an index: what is kept of a chunk, and its way into Arrow and back."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.knowledge.passages import Chunk, Passage

Vector = NDArray[np.float32]

COLUMNS = ["id", "file_id", "filename", "text", "headings", "page", "start", "end", "attributes"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A chunk on its way into the index. `searchable` is what is embedded and matched."""

    id: str
    file_id: str
    filename: str
    chunk: Chunk
    searchable: str
    vector: Vector
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that a search found. `score`: cosine distance (vector search) or BM25 (text search)."""

    row: dict[str, Any]
    vector: Vector
    score: float

    @property
    def key(self) -> str:
        return str(self.row["id"])


def passage(row: dict[str, Any], store_id: str, score: float, similarity: float) -> Passage:
    """The passage that a row stands for."""
    return Passage(
        id=row["id"],
        store_id=store_id,
        file_id=row["file_id"],
        filename=row["filename"],
        text=row["text"],
        start=row["start"],
        end=row["end"],
        score=score,
        similarity=similarity,
        headings=tuple(row["headings"]),
        page=row["page"],
        attributes=row["attributes"],
    )


def schema(dimensions: int) -> Any:
    """The table's Arrow schema. `attributes` is JSON, which filters look into."""
    pa = _pyarrow()
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("file_id", pa.string(), nullable=False),
            pa.field("filename", pa.string()),
            pa.field("text", pa.string()),
            pa.field("searchable", pa.string()),
            pa.field("headings", pa.list_(pa.string())),
            pa.field("page", pa.int32()),
            pa.field("start", pa.int64()),
            pa.field("end", pa.int64()),
            pa.field("attributes", pa.json_(pa.string())),
            pa.field("vector", pa.list_(pa.float32(), dimensions)),
        ]
    )


def to_arrow(entries: Sequence[Entry], dimensions: int) -> Any:
    """The entries as an Arrow table of `schema`."""
    pa = _pyarrow()
    vectors = np.concatenate([entry.vector for entry in entries], dtype=np.float32)
    attributes = [json.dumps(entry.attributes) for entry in entries]
    return pa.table(
        {
            "id": [entry.id for entry in entries],
            "file_id": [entry.file_id for entry in entries],
            "filename": [entry.filename for entry in entries],
            "text": [entry.chunk.text for entry in entries],
            "searchable": [entry.searchable for entry in entries],
            "headings": pa.array([list(e.chunk.headings) for e in entries], pa.list_(pa.string())),
            "page": pa.array([entry.chunk.page for entry in entries], pa.int32()),
            "start": [entry.chunk.start for entry in entries],
            "end": [entry.chunk.end for entry in entries],
            "attributes": pa.array(attributes, pa.json_(pa.string())),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors), dimensions),
        }
    )


def from_arrow(found: Any, score: str) -> list[Hit]:
    """The hits of a query that selected `COLUMNS`, the vector and the column `score`."""
    flat = found["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    scores = found[score].to_pylist()
    rows = [decoded(row) for row in found.select(COLUMNS).to_pylist()]
    vectors = flat.reshape(len(rows), -1) if rows else flat
    return [Hit(*each) for each in zip(rows, vectors, scores, strict=True)]


def decoded(row: dict[str, Any]) -> dict[str, Any]:
    row["attributes"] = json.loads(row["attributes"] or "{}")
    return row


def _pyarrow() -> Any:
    return importlib.import_module("pyarrow")
