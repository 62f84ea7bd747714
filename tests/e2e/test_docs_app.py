"""The documents app with the real Qwen 0.5B: answers from the passages, with true citations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletion

from tests.e2e.conftest import HANDBOOK, user
from tests.server import RunningServer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def answer(real_server: RunningServer) -> ChatCompletion:
    with OpenAI(base_url=real_server.openai_url, api_key=real_server.key) as client:
        return client.chat.completions.create(
            model="docs", messages=user("Who descales the coffee machine?")
        )


def test_it_answers_from_the_documents(answer: ChatCompletion) -> None:
    assert answer.model == "docs"
    assert "Okafor" in (answer.choices[0].message.content or "")


def test_each_citation_quotes_its_document(answer: ChatCompletion) -> None:
    message = answer.choices[0].message
    assert message.annotations
    for annotation in message.annotations:
        citation: dict[str, Any] = (annotation.model_extra or {})["file_citation"]
        text = HANDBOOK[citation["filename"]]
        assert citation["quote"]
        assert text[citation["start"] : citation["end"]] == citation["quote"]
        url = annotation.url_citation
        assert (message.content or "")[url.start_index : url.end_index] == (
            f"[{citation['number']}]"
        )


def test_a_citation_opens_its_passage(real_server: RunningServer, answer: ChatCompletion) -> None:
    annotations = answer.choices[0].message.annotations
    assert annotations
    citation = (annotations[0].model_extra or {})["file_citation"]
    with real_server.http() as http:
        passage = http.get(
            f"/v1/vector_stores/{citation['store_id']}/chunks/{citation['chunk_id']}"
        ).json()
    assert citation["quote"] in passage["before"] + passage["text"] + passage["after"]


def test_what_the_documents_do_not_say(real_client: OpenAI) -> None:
    asked = real_client.chat.completions.create(
        model="docs", messages=user("What is the boiling point of tungsten?")
    )
    assert asked.choices[0].message.content == "I don't find that in the documents."
    assert not asked.choices[0].message.annotations


def test_the_record_has_all_of_it(real_server: RunningServer, answer: ChatCompletion) -> None:
    with real_server.http() as http:
        record = http.get(f"/v1/records/{answer.id}").json()
        assert record["app"] == "docs"
        assert record["endpoint"] == "chat"
        assert "Who descales the coffee machine?" in record["prompt"]
        assert any(passage["cited"] for passage in record["passages"])
        assert record["versions"]["app"] == 1
        assert record["versions"]["engine"] == "openvino"
        said = {"record_id": answer.id, "metric": "correction", "value": "Ines Okafor does."}
        assert http.post("/v1/feedback", json=said).status_code == 200
        thumbs = {"record_id": answer.id, "metric": "thumbs", "value": "down"}
        assert http.post("/v1/feedback", json=thumbs).status_code == 200
        feedback = http.get(f"/v1/records/{answer.id}").json()["feedback"]
    assert {(f["metric"], f["value"]) for f in feedback} == {
        ("correction", "Ines Okafor does."),
        ("thumbs", False),
    }


def test_a_changed_document_changes_the_answer(
    real_server: RunningServer, real_client: OpenAI
) -> None:
    path = Path(real_server.home) / "handbook" / "laptops.md"
    path.write_text(path.read_text().replace("B114", "C207"))
    with real_server.http() as http:
        store = http.get("/v1/vector_stores").json()["data"][0]["id"]
        job = http.post(f"/v1/vector_stores/{store}/sync", json={}).json()
        assert job["object"]
    found = real_client.vector_stores.search(store, query="Where is the workshop?")
    for _ in range(200):
        if "C207" in found.data[0].content[0].text:
            break
        found = real_client.vector_stores.search(store, query="Where is the workshop?")
    assert "C207" in found.data[0].content[0].text
