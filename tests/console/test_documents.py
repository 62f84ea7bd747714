"""The newcomer's way, with the real models: ask, read the passage, say what was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import answered, ask
from tests.server import RunningServer, running_server

pytestmark = [pytest.mark.browser, pytest.mark.real, pytest.mark.timeout(300)]

HANDBOOK = {
    "travel.md": "# Travel\n\n## Hotels\n\nA hotel night may cost at most 140 euros. In Zurich and "
    "London the limit is 190 euros.\n\n## Trains\n\nTrains are booked in second class.\n",
    "leave.md": "# Leave\n\nEmployees have 28 days of paid leave a year. Up to five days may be "
    "carried over until the end of March.\n",
    "laptops.md": "# Laptops\n\nA laptop is replaced after four years. Report a lost laptop to "
    "the service desk within one day.\n",
}

DECLARATION = """
[endpoints.chat]
model = "qwen2.5-coder-0.5b-instruct"

[knowledge.handbook]
paths = ["handbook"]

[apps.docs]
endpoint = "chat"
knowledge = ["handbook"]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, model_store: Path) -> Iterator[RunningServer]:
    home = tmp_path_factory.mktemp("console")
    (home / "handbook").mkdir()
    for name, text in HANDBOOK.items():
        (home / "handbook" / name).write_text(text)
    with running_server(home, DECLARATION, models=model_store) as running:
        yield running


def test_a_newcomer_asks_reads_the_passage_and_corrects(page: Page, server: RunningServer) -> None:
    page.set_default_timeout(120_000)
    ask(page, "How many days of paid leave does an employee have?")
    answered(page)
    answer = page.locator("[aria-live] section > div").nth(1)
    expect(answer).to_contain_text("28")

    answer.locator("button[data-citation]").first.click()
    passage = page.get_by_role("dialog", name="leave.md")
    expect(passage.locator("mark").first).to_contain_text("28 days")
    expect(passage).to_contain_text("end of March")
    passage.get_by_role("button", name="Close the passage").click()

    page.get_by_role("button", name="Bad answer").click()
    correction = "28 days a year, and up to five more carried over until the end of March."
    page.get_by_label("What should the answer have been?").fill(correction)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Your correction")).to_contain_text("28 days a year")
    page.wait_for_load_state("networkidle")

    with server.http() as http:
        record = http.get("/v1/records", params={"metric": "correction"}).json()["data"][0]
        given = {each["metric"]: each["value"] for each in record["feedback"]}
    assert given == {"thumbs": False, "correction": correction}
    assert record["app"] == "docs"
    assert "28 days of paid leave" in record["prompt"]
    assert any(passage["cited"] for passage in record["passages"])


def test_what_the_documents_do_not_say_is_not_made_up(page: Page) -> None:
    page.set_default_timeout(120_000)
    ask(page, "Who won the football world cup in 1990?")
    answered(page)
    answer = page.locator("[aria-live] section > div").nth(1)
    expect(answer).to_contain_text("I don't find that in the documents")
    expect(answer.locator("button[data-citation]")).to_have_count(0)
