"""Records: how many calls a second can be kept durably, and how long one waits for it.

Each writer appends a record of a usual size and waits for the commit before the next one, as a call
does. The disk's own speed is measured beside it: as many bytes as such a commit
writes, appended and flushed one by one.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from headstart.records.commits import Columns
from headstart.records.records import Records
from headstart.security.principal import Principal, Role
from headstart.storage.database import Database

SECONDS = 3.0
COMMIT_BYTES = 26 * 1024  # what SQLite writes for one such record: the row and seven indexes
PROMPT = "Answer from these passages. " * 100  # 2,800 characters
ANSWER = "Hold the button for three seconds. [1] " * 10
ADMIN = Principal("key_admin", "admin", Role.ADMIN)


@dataclass
class Result:
    per_second: float
    p50_ms: float
    p99_ms: float


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(f"Durable appends of a record ({len(PROMPT) + len(ANSWER)} characters of text)\n")
        print("| writers | records/s | p50 ms | p99 ms |")
        print("|--:|--:|--:|--:|")
        for writers in (1, 16, 256):
            path = Path(folder) / f"{writers}.db"
            result = asyncio.run(_write(path, writers))
            print(
                f"| {writers} | {result.per_second:.0f} "
                f"| {result.p50_ms:.2f} | {result.p99_ms:.2f} |"
            )
        flush = _flush(Path(folder) / "plain")
        print(
            f"\nThe disk alone, {COMMIT_BYTES // 1024} KiB appended and flushed: p50 {flush:.2f} ms"
        )
        count, milliseconds = _list(Path(folder) / "256.db")
        print(f"The newest 20 of {count} records, with feedback: {milliseconds:.1f} ms")


async def _write(path: Path, writers: int) -> Result:
    database = Database(f"sqlite:///{path}")
    database.migrate()
    records = Records(database)
    await records.start()
    times: list[float] = []
    end = time.perf_counter() + SECONDS

    async def write(writer: int) -> None:
        number = 0
        while (before := time.perf_counter()) < end:
            await records.append(_columns(f"chatcmpl-{writer}-{number}"))
            times.append((time.perf_counter() - before) * 1000)
            number += 1

    started = time.perf_counter()
    await asyncio.gather(*(write(writer) for writer in range(writers)))
    took = time.perf_counter() - started
    await records.stop()
    database.close()
    percentiles = statistics.quantiles(times, n=100)
    return Result(len(times) / took, percentiles[49], percentiles[98])


def _columns(id: str) -> Columns:
    question = {"role": "user", "content": "How do I reset it?"}
    message = {"role": "assistant", "content": ANSWER}
    return {
        "id": id,
        "kind": "chat",
        "created_at": time.time(),
        "model": "docs",
        "endpoint": "chat",
        "app": "docs",
        "key_id": "key_admin",
        "conversation_id": None,
        "alternative_to": None,
        "status": "completed",
        "error": None,
        "request": {"model": "docs", "messages": [question]},
        "prompt": PROMPT,
        "passages": [],
        "steps": [],
        "output": {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]},
        "text": ANSWER,
        "prompt_tokens": 700,
        "completion_tokens": 90,
        "first_token_ms": 100.0,
        "duration_ms": 1000.0,
        "versions": {"headstart": "0.1.0"},
    }


def _flush(path: Path) -> float:
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(200):
            started = time.perf_counter()
            file.write(b"x" * COMMIT_BYTES)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def _list(path: Path) -> tuple[int, float]:
    database = Database(f"sqlite:///{path}")
    records = Records(database)
    started = time.perf_counter()
    records.list(ADMIN, limit=20)
    took = (time.perf_counter() - started) * 1000
    with database.engine.connect() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM records").scalar_one()
    database.close()
    return int(count), took


if __name__ == "__main__":
    main()
