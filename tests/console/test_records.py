"""The page of the records: calls are found again, read in full, and corrected."""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Watched
from tests.server import RunningServer

pytestmark = pytest.mark.browser


def say(server: RunningServer, *texts: str) -> list[str]:
    """Call the echo; gives the ids of the records."""
    ids = []
    with server.http() as http:
        for text in texts:
            messages = [{"role": "user", "content": text}]
            body = {"model": "echo", "messages": messages}
            ids.append(http.post("/v1/chat/completions", json=body).raise_for_status().json()["id"])
    return ids


def test_records_are_found_by_their_text(
    page: Page, server: RunningServer, watched: Watched
) -> None:
    say(server, "Tell me about lighthouses", "Tell me about windmills")
    page.goto("/records")
    expect(page.get_by_role("link", name="Tell me about windmills").first).to_be_visible()

    page.get_by_label("Text in question or answer").fill("lighthouses")
    expect(page.get_by_role("link", name="Tell me about windmills")).to_have_count(0)
    expect(page.get_by_role("link", name="Tell me about lighthouses").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?q=lighthouses$"))

    page.get_by_role("link", name="Tell me about lighthouses").first.click()
    page.get_by_role("heading", name="Call to echo").wait_for()
    page.get_by_role("main").get_by_role("link", name="Records").click()
    expect(page).to_have_url(re.compile(r"/records\?q=lighthouses$"))
    page.goto("/records?status=failed&q=lighthouses")
    expect(page.get_by_role("heading", name="No record matches")).to_be_visible()
    assert watched.problems == []


def test_the_list_goes_on(page: Page, server: RunningServer) -> None:
    say(server, *[f"One of many: {number}" for number in range(32)])
    page.goto("/records?q=One of many")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(30)
    page.get_by_role("button", name="Load more").click()
    expect(rows).to_have_count(32)


def test_a_record_shows_the_call_and_takes_a_correction(page: Page, server: RunningServer) -> None:
    [record_id] = say(server, "What is **bold**?")
    page.goto(f"/records/{record_id}")
    expect(page.get_by_role("region", name="Question")).to_have_text("What is **bold**?")
    expect(page.get_by_role("region", name="Answer").locator("strong")).to_have_text("bold")
    expect(page.get_by_role("region", name="Prompt")).to_contain_text("<|assistant|>")
    expect(page.get_by_role("complementary", name="Facts")).to_contain_text("Whole answer")
    request = page.get_by_role("region", name="Request")
    request.get_by_role("button", name="Request").first.click()
    expect(request.locator("pre")).to_contain_text('"model": "echo"')

    page.get_by_role("button", name="Good answer").click()
    given = page.get_by_role("list", name="Given feedback")
    expect(given).to_contain_text("Good answer")
    page.get_by_role("button", name="Comment or correct").click()
    page.get_by_label("What should the answer have been?").fill("A heavier kind of type.")
    page.get_by_role("button", name="Save").click()
    expect(given).to_contain_text("A heavier kind of type.")

    with server.http() as http:
        feedback = http.get(f"/v1/records/{record_id}").json()["feedback"]
    said = {one["metric"]: one["value"] for one in feedback}
    assert said == {"thumbs": True, "correction": "A heavier kind of type."}


def test_new_calls_appear_by_themselves(page: Page, server: RunningServer) -> None:
    page.goto("/records?q=volcano")
    expect(page.get_by_role("heading", name="No record matches")).to_be_visible()
    say(server, "Draw a volcano")
    expect(page.get_by_role("link", name="Draw a volcano")).to_be_visible()


def test_records_are_narrowed_by_time(page: Page, server: RunningServer) -> None:
    say(server, "Just now")
    page.goto("/records")
    with page.expect_request(re.compile("created_after=")) as asked:
        page.get_by_label("Time").first.click()
        page.get_by_role("option", name="Last hour").click()
    after = float(parse_qs(urlsplit(asked.value.url).query)["created_after"][0])
    assert 3590 < time.time() - after < 3700
    expect(page).to_have_url(re.compile(r"since=hour"))
    expect(page.get_by_role("link", name="Just now").first).to_be_visible()


def test_each_of_two_answers_leads_to_the_other(page: Page, server: RunningServer) -> None:
    messages = [{"role": "user", "content": "Name a colour"}]
    with server.http() as http:
        talk = http.post("/v1/conversations", json={}).json()["id"]
        body = {"model": "echo", "conversation": talk, "messages": messages}
        first = http.post("/v1/chat/completions", json=body).json()["id"]
        again = {**body, "regenerates": first}
        second = http.post("/v1/chat/completions", json=again).json()["id"]
        preference = {"record_id": second, "metric": "preference", "value": {"over": first}}
        http.post("/v1/feedback", json=preference).raise_for_status()
    page.goto(f"/records/{first}")
    others = page.get_by_role("region", name="Other answers")
    expect(others.get_by_role("img", name="Preference")).to_be_visible()
    others.get_by_role("link").click()
    expect(page).to_have_url(re.compile(second))
    expect(others.get_by_role("link")).to_have_attribute("href", f"/records/{first}")


def test_every_choice_of_a_call_is_shown(page: Page, server: RunningServer) -> None:
    body = {"model": "echo", "n": 2, "messages": [{"role": "user", "content": "Twice"}]}
    with server.http() as http:
        record_id = http.post("/v1/chat/completions", json=body).raise_for_status().json()["id"]
    page.goto(f"/records/{record_id}")
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("Choice 1 of 2")
    expect(answer).to_contain_text("Choice 2 of 2")


def test_a_record_that_is_not_there_says_so(page: Page) -> None:
    page.goto("/records/chatcmpl-none")
    expect(page.get_by_role("alert")).to_contain_text("chatcmpl-none")
    page.get_by_role("main").get_by_role("link", name="Records").click()
    expect(page.get_by_role("heading", name="Records", level=1)).to_be_visible()
