"""Retrieval: nDCG@10 on SciFact, and how fast documents go in, through a real server.

`python -m benchmarks.retrieval [--data FOLDER]`. The data folder (or HEADSTART_BENCH_DATA) holds
BEIR's `scifact`. Its 5,183 abstracts go in as Markdown files, by one sync over HTTP with the model
in the box. The train queries are then asked of the plain vector search, of BM25, of their fusion by
rank (RRF, k = 60), and of `/v1/vector_stores/{id}/search`, all over the same index. A document's
rank is that of its best passage.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from tests.models import FOLDER
from tests.server import RunningServer, running_server

from headstart.knowledge.index import Index
from headstart.knowledge.rows import Vector

DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
DECLARATION = """
[endpoints.embeddings]
model = "all-minilm-l6-v2"
"""
DEPTH = 50  # passages per query; ten documents are among them
RRF_K = 60

Ranking = list[str]
Search = Callable[[str, Vector], Awaitable[Ranking]]


@dataclass(frozen=True, slots=True)
class Collection:
    documents: dict[str, str]  # Markdown, by id
    queries: dict[str, str]
    relevant: dict[str, dict[str, int]]  # per query: grade per document


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.retrieval", description=__doc__)
    default = os.environ.get("HEADSTART_BENCH_DATA", str(DEFAULT_DATA))
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--documents", type=int, help="Only so many, for a quick look.")
    options = parser.parse_args(arguments)
    collection = scifact(options.data / "scifact", options.documents)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder, "home"), DECLARATION, models=FOLDER) as server,
    ):
        asyncio.run(_measure(server, Path(folder), collection))


async def _measure(server: RunningServer, folder: Path, collection: Collection) -> None:
    headers = {"Authorization": f"Bearer {server.key}"}
    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(server.url, headers=headers, timeout=timeout) as http:
        store_id = await _ingest(http, folder, collection)
        index = Index(server.home / "indexes", store_id)
        vectors = await _embed(http, list(collection.queries.values()))
        print("\n| search | nDCG@10 | p50 ms | p99 ms |\n|---|--:|--:|--:|")
        for name, search in _searches(http, index, store_id).items():
            await _evaluate(name, search, collection, vectors)


async def _ingest(http: aiohttp.ClientSession, folder: Path, collection: Collection) -> str:
    docs = folder / "docs"
    docs.mkdir()
    for key, text in collection.documents.items():
        (docs / f"{key}.md").write_text(text)
    store_id = (await _post(http, "/v1/vector_stores", {"name": "scifact"}))["id"]
    url = f"/v1/vector_stores/{store_id}/sync"
    started = time.perf_counter()
    sync = await _post(http, url, {"paths": [str(docs)]})
    while sync["status"] in ("queued", "in_progress"):
        await asyncio.sleep(0.5)
        sync = await _get(http, f"{url}/{sync['id']}")
    seconds = time.perf_counter() - started
    if sync["status"] != "completed" or sync["report"]["failed"]:
        raise SystemExit(f"the sync failed: {sync}")
    size = sum(len(text) for text in collection.documents.values())
    passages = await Index(folder / "home" / "indexes", store_id).count()
    print(
        f"SciFact: {len(collection.documents)} documents, {size / 1e6:.1f} MB, {passages} passages "
        f"in {seconds:.0f} s: {len(collection.documents) / seconds:.1f} documents/s, "
        f"{passages / seconds:.1f} passages/s, end to end."
    )
    return str(store_id)


def _searches(http: aiohttp.ClientSession, index: Index, store_id: str) -> dict[str, Search]:
    async def by_vector(_text: str, vector: Vector) -> Ranking:
        return _documents(hit.row["filename"] for hit in await index.nearest(vector, DEPTH))

    async def by_words(text: str, _vector: Vector) -> Ranking:
        return _documents(hit.row["filename"] for hit in await index.matching(text, DEPTH))

    async def by_rank(text: str, vector: Vector) -> Ranking:
        scores: dict[str, float] = {}
        names: dict[str, str] = {}
        for hits in (await index.nearest(vector, DEPTH), await index.matching(text, DEPTH)):
            for rank, hit in enumerate(hits, 1):
                scores[hit.key] = scores.get(hit.key, 0.0) + 1 / (RRF_K + rank)
                names[hit.key] = hit.row["filename"]
        return _documents(names[key] for key in sorted(scores, key=lambda key: -scores[key]))

    async def ours(text: str, _vector: Vector) -> Ranking:
        body = {"query": text, "max_num_results": DEPTH}
        page = await _post(http, f"/v1/vector_stores/{store_id}/search", body)
        return _documents(hit["filename"] for hit in page["data"])

    return {
        "vectors": by_vector,
        "BM25": by_words,
        "both, fused by rank": by_rank,
        "Headstart, over HTTP": ours,
    }


async def _evaluate(
    name: str, search: Search, collection: Collection, vectors: dict[str, Vector]
) -> None:
    scores: list[float] = []
    latencies: list[float] = []
    for key, text in collection.queries.items():
        started = time.perf_counter()
        ranking = await search(text, vectors[text])
        latencies.append(time.perf_counter() - started)
        scores.append(ndcg(ranking, collection.relevant[key]))
    cuts = statistics.quantiles(latencies, n=100)
    mean = statistics.fmean(scores)
    print(f"| {name} | {mean:.3f} | {cuts[49] * 1000:.1f} | {cuts[98] * 1000:.1f} |")


def ndcg(ranking: Ranking, relevant: dict[str, int], depth: int = 10) -> float:
    """Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002), linear gain."""
    gains = (relevant.get(document, 0) for document in ranking[:depth])
    best = sorted(relevant.values(), reverse=True)[:depth]
    return _discounted(gains) / _discounted(best)


def _discounted(gains: Iterable[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _documents(filenames: Iterable[str]) -> Ranking:
    """Documents in the order of their best passages."""
    return list(dict.fromkeys(Path(name).stem for name in filenames))


def scifact(folder: Path, limit: int | None = None) -> Collection:
    """The corpus and the train queries. With a limit: relevant documents first, then others."""
    relevant: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels" / "train.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            relevant.setdefault(query, {})[document] = int(grade)
    with gzip.open(folder / "corpus.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    documents = {row["_id"]: f"# {row['title']}\n\n{row['text']}\n" for row in rows}
    if limit is not None:
        wanted = {document for grades in relevant.values() for document in grades}
        order = sorted(documents, key=lambda key: key not in wanted)
        documents = {key: documents[key] for key in order[:limit]}
        relevant = {
            q: grades for q, grades in relevant.items() if grades.keys() <= documents.keys()
        }
    texts = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
    queries = {row["_id"]: row["text"] for row in texts if row["_id"] in relevant}
    return Collection(documents, queries, relevant)


async def _embed(http: aiohttp.ClientSession, texts: list[str]) -> dict[str, Vector]:
    vectors: dict[str, Vector] = {}
    for start in range(0, len(texts), 64):
        part = texts[start : start + 64]
        answer = await _post(http, "/v1/embeddings", {"model": "embeddings", "input": part})
        for text, row in zip(part, answer["data"], strict=True):
            vectors[text] = np.asarray(row["embedding"], dtype=np.float32)
    return vectors


async def _post(http: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> Any:
    async with http.post(path, json=body) as response:
        answer = await response.json()
        if response.status != 200:
            raise SystemExit(f"{path}: {answer}")
        return answer


async def _get(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path) as response:
        return await response.json()


if __name__ == "__main__":
    main()
