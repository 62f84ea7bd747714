"""Citations in the console: from the number in the text to the passage in its document."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.conftest import answered, ask
from tests.server import RunningServer, running_server

pytestmark = pytest.mark.browser

TRAVEL = """# Travel policy

## Hotels

A hotel night may cost at most **140 euros**. Breakfast is paid by the company.

## Trains

Trains are booked in second class. Night trains need the consent of a manager.
"""

# The echo says the passages back, and the app cites what backs each sentence.
DECLARATION = """
[endpoints.echo]
model = "echo"

[endpoints.embeddings]
model = "echo"

[knowledge.handbook]
paths = ["handbook"]

[apps.docs]
endpoint = "echo"
knowledge = ["handbook"]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    home = tmp_path_factory.mktemp("console")
    (home / "handbook").mkdir()
    (home / "handbook" / "travel-policy.md").write_text(TRAVEL)
    with running_server(home, DECLARATION) as running:
        yield running


@pytest.fixture
def copying(page: Page) -> Page:
    """A page whose questions let the model copy its passages, which an app stops by itself."""

    def unstopped(route: Route) -> None:
        body = json.loads(route.request.post_data or "{}")
        route.continue_(post_data=json.dumps({**body, "stop": ["<end>"]}))

    page.route("**/v1/chat/completions", unstopped)
    return page


def test_the_start_page_says_what_the_app_knows(page: Page) -> None:
    expect(page.get_by_role("button", name="Model: docs")).to_be_visible()
    expect(page.get_by_role("link", name="1 document")).to_be_visible()
    suggestion = page.get_by_role("button", name="What do the documents say about travel policy?")
    suggestion.click()
    answered(page)


def test_each_citation_opens_what_it_quotes(copying: Page) -> None:
    page = copying
    ask(page, "How much may a hotel night cost?")
    answered(page)
    passage = page.get_by_role("dialog", name="travel-policy.md")
    answer = page.locator("[aria-live]")

    answer.get_by_role("button", name="Source 1: travel-policy.md").nth(1).click()
    expect(passage.locator("mark").first).to_have_text("A hotel night may cost at most ")
    expect(passage.locator("mark strong, strong mark")).to_have_text("140 euros")
    expect(passage).to_contain_text("Night trains need the consent")

    answer.get_by_role("button", name="Source 1: travel-policy.md").last.click()
    expect(passage.locator("mark")).to_contain_text("Night trains need the consent")

    page.keyboard.press("Escape")
    expect(passage).to_have_count(0)

    page.reload()
    sources = page.get_by_role("list", name="Sources").get_by_role("button")
    expect(sources).to_have_count(1)
    sources.click()
    expect(passage.locator("mark").first).to_be_visible()


def test_a_passage_whose_document_is_gone_says_so(copying: Page, server: RunningServer) -> None:
    page = copying
    ask(page, "Which class are trains?")
    answered(page)
    with server.http() as http:
        store = http.get("/v1/vector_stores").json()["data"][0]["id"]
        file = http.get(f"/v1/vector_stores/{store}/files").json()["data"][0]["id"]
        http.delete(f"/v1/vector_stores/{store}/files/{file}").raise_for_status()
    page.get_by_role("list", name="Sources").get_by_role("button").first.click()
    expect(page.get_by_role("alert")).to_contain_text("The passage cannot be shown")
