"""What a crash may cost: an answer in progress, never what was recorded or accepted."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx2
import pytest
from openai import APIError, OpenAI

from tests.e2e.conftest import ECHO, sdk, user
from tests.server import RunningServer, eventually, running_server

LONG = user("word " * 200)
KNOWLEDGE = """
[endpoints.embeddings]
model = "echo"
engine = "echo"
options = { delay_ms = 20 }

[knowledge.notes]
paths = ["notes"]
"""


def test_a_worker_killed_in_mid_stream(echo_server: RunningServer, echo_client: OpenAI) -> None:
    with echo_server.http() as http:
        pid = http.get("/v1/endpoints/slow").json()["pid"]
    stream = echo_client.chat.completions.create(model="slow", messages=LONG, stream=True)
    for _ in range(3):
        next(stream)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(APIError) as caught:
        list(stream)
    assert "worker" in caught.value.message
    answer = echo_client.chat.completions.create(model="slow", messages=user("still there?"))
    assert answer.choices[0].message.content == "still there?"
    with echo_server.http() as http:
        failed = http.get("/v1/records", params={"model": "slow", "status": "failed"}).json()
        assert failed["data"][0]["output"]["choices"][0]["message"]["content"].startswith("word")
        assert http.get("/v1/endpoints/slow").json()["restarts"] >= 1


def test_a_server_killed_right_after_an_answer(tmp_path: Path) -> None:
    ids = []
    with running_server(tmp_path / "home", ECHO) as server:
        with sdk(server) as client:
            for number in range(20):
                messages = user(f"question {number}")
                ids.append(client.chat.completions.create(model="echo", messages=messages).id)
            last = client.chat.completions.create(
                model="echo", messages=user("the last"), stream=True
            )
            ids.append([chunk.id for chunk in last][-1])
        server.kill()
        with running_server(server.home, ECHO) as again, again.http() as http:
            for record_id in ids:
                record = http.get(f"/v1/records/{record_id}").json()
                assert record["status"] == "completed"
                assert record["output"]["choices"][0]["finish_reason"] == "stop"


def test_a_server_killed_in_mid_ingestion(tmp_path: Path) -> None:
    home = tmp_path / "home"
    notes = home / "notes"
    notes.mkdir(parents=True)
    for number in range(60):
        text = "\n\n".join(f"Note {number}, paragraph {p}. " + "lorem " * 60 for p in range(6))
        (notes / f"note-{number}.md").write_text(text)

    def completed(http: httpx2.Client) -> int:
        stores = http.get("/v1/vector_stores").json()["data"]
        return int(stores[0]["file_counts"]["completed"]) if stores else 0

    with running_server(home, KNOWLEDGE, ready=False) as server:
        with server.http() as http:
            eventually(lambda: completed(http) >= 3, "ingestion is under way")
            assert completed(http) < 60, "killed too late to show anything"
        server.kill()
        with running_server(home, KNOWLEDGE) as again, again.http() as http:
            eventually(lambda: completed(http) == 60, "ingestion finished after the crash")
            store = http.get("/v1/vector_stores").json()["data"][0]
            assert store["file_counts"] == {
                "in_progress": 0,
                "completed": 60,
                "failed": 0,
                "cancelled": 0,
                "total": 60,
            }
            hits = http.post(
                f"/v1/vector_stores/{store['id']}/search",
                json={"query": "Note 7, paragraph 0", "max_num_results": 50},
            ).json()["data"]
            chunk_ids = [hit["chunk_id"] for hit in hits]
            assert len(chunk_ids) == len(set(chunk_ids))
            spans = [(hit["filename"], hit["start"]) for hit in hits]
            assert len(spans) == len(set(spans)), "no passage is in the index twice"


def test_no_worker_outlives_a_killed_server(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", ECHO) as server:
        with server.http() as http:
            pids = [e["pid"] for e in http.get("/v1/endpoints").json()["data"]]
        assert all(_runs(pid) for pid in pids)
        server.kill()
        eventually(lambda: not any(_runs(pid) for pid in pids), "workers ended")


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
