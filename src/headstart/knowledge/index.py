"""The index of one vector store: a LanceDB table with its vectors, BM25 and attributes.

A chunk's key is (file_id, id), and writing a chunk twice leaves one row: an ingestion that was
killed can simply run again. Writes of concurrent ingestions are committed together, and the
indexes follow in the background of the writes (`optimize`); rows that no index covers yet are
searched by a scan, so nothing is ever missing from a search.

LanceDB is imported when the first table opens: it takes over a second and 130 MB.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from headstart.errors import BadRequest, NotFound
from headstart.knowledge import rows
from headstart.knowledge.rows import COLUMNS, Entry, Hit, Vector

ANN_FROM = 20_000  # rows; below, scanning all vectors takes less than 30 ms and is exact
_COMMIT_ROWS, _COMMIT_SECONDS = 32, 0.3  # what is written together: a commit costs 10 ms, any size
_SCANNED_ROWS = 2_000  # new rows that a search may have to scan, or this part of all rows:
_SCANNED_SHARE = 0.02
_SETTLED_ROWS = 200  # the same, once an ingestion is over
_OLD_VERSIONS = timedelta(minutes=2)  # a search that is still running may read one
_INDEX_CACHE, _METADATA_CACHE = 256 * 2**20, 64 * 2**20  # bytes, of all stores together
_ANN_REFINE = 8  # candidates re-ranked with their exact vectors, as a multiple of the limit
_ANN_PROBES = 24


class Index:
    """The chunks of one vector store."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._opened: Any = None
        self._pending: list[tuple[Sequence[Entry], asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._full = asyncio.Event()  # enough is pending for a commit
        self._committed = 0.0
        self._rows = 0
        self._unindexed = 0
        self._has_ann = False
        self._dropped = False

    async def upsert(self, entries: Sequence[Entry]) -> None:
        """Write chunks; returns when they are on disk and searchable."""
        if self._dropped:
            raise NotFound(f"The vector store '{self._name}' was deleted.")
        if not entries:
            return
        done = asyncio.get_running_loop().create_future()
        self._pending.append((entries, done))
        if sum(len(part) for part, _ in self._pending) >= _COMMIT_ROWS:
            self._full.set()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_pending())
        await done

    async def delete_file(self, file_id: str, *, keep: set[str] | None = None) -> None:
        """Remove the file's chunks, all or those whose ids are not in `keep`."""
        table = await self._table()
        if table is None:
            return
        async with self._writing:
            where = f"file_id = {literal(file_id)}"
            if keep:
                stale = await self.ids(file_id) - keep
                if not stale:
                    return
                where += f" AND id IN ({', '.join(literal(each) for each in stale)})"
            await table.delete(where)

    async def set_attributes(self, file_id: str, attributes: dict[str, Any]) -> None:
        table = await self._table()
        if table is not None:
            async with self._writing:
                await table.update(
                    updates_sql={"attributes": literal(json.dumps(attributes))},
                    where=f"file_id = {literal(file_id)}",
                )

    async def ids(self, file_id: str) -> set[str]:
        """Ids of the file's chunks that are in the index."""
        table = await self._table()
        if table is None:
            return set()
        query = table.query().where(f"file_id = {literal(file_id)}").select(["id"])
        return set((await query.to_arrow())["id"].to_pylist())

    async def count(self, where: str | None = None) -> int:
        table = await self._table()
        return 0 if table is None else int(await table.count_rows(where))

    async def row(self, chunk_id: str) -> dict[str, Any] | None:
        """The chunk of that id; of equal chunks of equal files, any."""
        table = await self._table()
        if table is None:
            return None
        query = table.query().where(f"id = {literal(chunk_id)}").select(COLUMNS).limit(1)
        found = await query.to_list()
        return rows.decoded(found[0]) if found else None

    async def nearest(self, vector: Vector, limit: int, where: str | None = None) -> list[Hit]:
        """Chunks by cosine distance, nearest first."""
        table = await self._table()
        if table is None:
            return []
        query = table.query().nearest_to(vector).distance_type("cosine").limit(limit)
        if self._has_ann:
            query = query.nprobes(_ANN_PROBES).refine_factor(_ANN_REFINE)
        return await _hits(query, where, "_distance")

    async def matching(self, text: str, limit: int, where: str | None = None) -> list[Hit]:
        """Chunks by BM25, best first. `text` is words only: no operator has a meaning in it."""
        table = await self._table()
        if table is None or not text.strip():
            return []
        return await _hits(_word_query(table, text, limit), where, "_score")

    async def word_scores(
        self, text: str, limit: int, where: str | None = None
    ) -> dict[str, float]:
        """BM25 by chunk id, of far more chunks than anyone wants to read."""
        table = await self._table()
        if table is None or not text.strip():
            return {}
        query = _word_query(table, text, limit).select(["id", "_score"])
        found = await (query if where is None else query.where(where)).to_arrow()
        return dict(zip(found["id"].to_pylist(), found["_score"].to_pylist(), strict=True))

    async def words(self, text: str) -> set[str]:
        """The words of `text` as BM25 compares them: stemmed, without stop words."""
        table = await self._table()
        if table is None:
            return set()
        return {token.text for token in await table.tokenize(text, column="searchable")}

    async def settle(self) -> None:
        """Bring the indexes up to date where an ingestion left more than a few new rows."""
        if self._unindexed > _SETTLED_ROWS:
            await self.optimize()

    async def optimize(self) -> None:
        """Bring the indexes up to the newest row, merge small files, forget old versions."""
        table = await self._table()
        if table is None:
            return
        async with self._writing:
            self._rows = await table.count_rows()
            if not self._has_ann and self._rows >= ANN_FROM:
                await self._create_ann(table)
            await table.optimize(cleanup_older_than=_OLD_VERSIONS)
            self._unindexed = 0

    async def drop(self) -> None:
        """Remove the table with all that is in it, for good."""
        self._dropped = True
        async with self._writing:
            self._opened = None
            path = self._folder / f"{self._name}.lance"
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)

    async def _write_pending(self) -> None:
        try:
            while self._pending:
                await self._gather()
                batch, self._pending = self._pending, []
                self._full.clear()
                await self._commit(batch)
        finally:
            self._writer = None

    async def _gather(self) -> None:
        """Let other writers join: until there is enough, or the last commit is long ago."""
        pause = self._committed + _COMMIT_SECONDS - time.monotonic()
        if pause > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), pause)

    async def _commit(self, batch: list[tuple[Sequence[Entry], asyncio.Future[None]]]) -> None:
        entries = [entry for part, _ in batch for entry in part]
        try:
            async with self._writing:
                await self._write(entries)
        except Exception as error:
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
            return
        for _, done in batch:
            if not done.done():
                done.set_result(None)
        self._committed = time.monotonic()
        self._unindexed += len(entries)
        if self._unindexed >= max(_SCANNED_ROWS, _SCANNED_SHARE * self._rows):
            await self.optimize()

    async def _write(self, entries: list[Entry]) -> None:
        unique = {(entry.file_id, entry.id): entry for entry in entries}
        dimensions = len(entries[0].vector)
        table = await self._table(dimensions)
        expected = (await table.schema()).field("vector").type.list_size
        if any(len(entry.vector) != expected for entry in entries):
            raise BadRequest(
                f"This store's vectors have {expected} dimensions, but the embedding model gives "
                f"{dimensions}. Create a new vector store for the other model."
            )
        data = rows.to_arrow(list(unique.values()), expected)
        merge = table.merge_insert(["file_id", "id"])
        await merge.when_matched_update_all().when_not_matched_insert_all().execute(data)

    async def _table(self, dimensions: int | None = None) -> Any:
        """The table; None when there is none and no `dimensions` to create it with."""
        if self._opened is not None:
            return self._opened
        async with self._opening:
            if self._opened is None:
                await self._open(dimensions)
        return self._opened

    async def _open(self, dimensions: int | None) -> None:
        exists = await asyncio.to_thread((self._folder / f"{self._name}.lance").exists)
        if not exists and dimensions is None:
            return
        lancedb, session = await asyncio.to_thread(_lancedb)
        connection = await lancedb.connect_async(str(self._folder), session=session)
        if dimensions is not None and not exists:
            schema = rows.schema(dimensions)
            table = await connection.create_table(self._name, schema=schema, exist_ok=True)
        else:
            table = await connection.open_table(self._name)
        found = {index.columns[0]: index for index in await table.list_indices()}
        if "searchable" in found:
            self._unindexed = found["searchable"].num_unindexed_rows or 0
        else:
            await self._create_bm25(table)
        self._has_ann = "vector" in found
        self._opened = table

    async def _create_bm25(self, table: Any) -> None:
        lancedb_index: Any = importlib.import_module("lancedb.index")
        words = lancedb_index.FTS(base_tokenizer="icu/split")  # also where no spaces part words
        await table.create_index("searchable", config=words)

    async def _create_ann(self, table: Any) -> None:
        lancedb_index: Any = importlib.import_module("lancedb.index")
        await table.create_index("vector", config=lancedb_index.IvfPq(distance_type="cosine"))
        self._has_ann = True


class Indexes:
    """The indexes of all vector stores, one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Index] = {}

    def of(self, store_id: str) -> Index:
        return self._open.setdefault(store_id, Index(self._folder, store_id))

    def names(self) -> set[str]:
        """The stores that there are indexes of on disk."""
        return {path.stem for path in self._folder.glob("*.lance")}

    async def drop(self, store_id: str) -> None:
        await self.of(store_id).drop()
        self._open.pop(store_id, None)


def literal(text: str) -> str:
    """`text` as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


@cache
def _lancedb() -> tuple[Any, Any]:
    """The library, and one session for all tables, which bounds what they cache together."""
    os.environ.setdefault("LANCEDB_LOG", "error")
    library = importlib.import_module("lancedb")
    gc.freeze()  # else each full collection walks it all and stops the event loop for 0.4 s
    session = library.Session(
        index_cache_size_bytes=_INDEX_CACHE, metadata_cache_size_bytes=_METADATA_CACHE
    )
    return library, session


def _word_query(table: Any, text: str, limit: int) -> Any:
    lancedb_query: Any = importlib.import_module("lancedb.query")
    words = lancedb_query.MatchQuery(text, "searchable")
    return table.query().nearest_to_text(words).limit(limit)


async def _hits(query: Any, where: str | None, score: str) -> list[Hit]:
    if where is not None:
        query = query.where(where)
    return rows.from_arrow(await query.select([*COLUMNS, "vector", score]).to_arrow(), score)
