from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.server import RunningServer

pytestmark = pytest.mark.browser


@pytest.fixture
def door(chromium: Browser, server: RunningServer) -> Page:
    context = chromium.new_context(base_url=server.url)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto("/")
    return page


def test_a_wrong_key_is_refused_with_the_reason_and_a_right_one_opens(
    door: Page, server: RunningServer
) -> None:
    field = door.get_by_label("API key", exact=True)
    field.fill("hs-not-a-key-of-this-server")
    door.get_by_role("button", name="Sign in").click()
    expect(door.get_by_text("key", exact=False).filter(has_text="not")).to_be_visible()

    field.fill(f"  {server.key} ")
    field.press("Enter")
    expect(door.get_by_role("heading", name="What would you like to know?")).to_be_visible()

    door.reload()
    expect(door.get_by_role("heading", name="What would you like to know?")).to_be_visible()

    door.get_by_role("button", name="Sign out").click()
    expect(door.get_by_role("heading", name="Sign in to Headstart")).to_be_visible()
    door.reload()
    expect(door.get_by_role("heading", name="Sign in to Headstart")).to_be_visible()


def test_the_printed_link_signs_in_once(chromium: Browser, server: RunningServer) -> None:
    log = (server.home / "server.log").read_text()
    link = re.search(r"http\S+/sign-in\?token=[\w-]+", re.sub(r"\x1b\[[\d;]*m", "", log))
    assert link, log

    first = chromium.new_context().new_page()
    first.goto(link[0])
    expect(first.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    assert "token" not in first.url

    second = chromium.new_context().new_page()
    second.goto(link[0])
    expect(second.get_by_role("heading", name="Sign in to Headstart")).to_be_visible()
    expect(second.get_by_role("alert")).to_contain_text("used already")


def test_a_revoked_key_leads_back_to_the_door(chromium: Browser, server: RunningServer) -> None:
    with server.http() as http:
        made = http.post("/v1/organization/admin_api_keys", json={"name": "for a while"}).json()
        page = chromium.new_context(base_url=server.url).new_page()
        page.goto("/")
        page.get_by_label("API key", exact=True).fill(made["value"])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
        http.delete(f"/v1/organization/admin_api_keys/{made['id']}").raise_for_status()
    page.get_by_role("textbox", name="Message", exact=True).fill("Are you there?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in to Headstart")).to_be_visible()
