from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.conftest import Watched, sign_in_as_member
from tests.server import RunningServer

pytestmark = pytest.mark.browser


@pytest.fixture
def endpoints(watched: Watched) -> Page:
    page = watched.context.new_page()
    page.goto("/endpoints")
    page.get_by_role("article").first.wait_for()
    return page


def test_each_endpoint_says_what_serves_it(endpoints: Page) -> None:
    card = endpoints.get_by_role("article", name="echo")
    for text in ("Ready", "the one that needs no weights", "4,096 tokens", "Never", "MB"):
        expect(card).to_contain_text(text)
    card.get_by_role("link", name="Chat with echo").click()
    expect(endpoints.get_by_role("button", name="Model: echo")).to_be_visible()


def test_logs_open_and_can_be_refreshed(endpoints: Page, server: RunningServer) -> None:
    lines = ["the worker has begun"]

    def logs(route: Route) -> None:
        assert "lines=200" in route.request.url
        text = "\n".join(lines)
        route.fulfill(json={"object": "endpoint.logs", "text": text, "next": len(text)})

    endpoints.get_by_role("button", name="Logs of echo").click()
    drawer = endpoints.get_by_role("dialog", name="Logs of echo")
    expect(drawer).to_contain_text("The last 200 lines")

    endpoints.route("**/v1/endpoints/echo/logs?*", logs)
    drawer.get_by_role("button", name="Refresh the logs").click()
    expect(drawer).to_contain_text("the worker has begun")
    lines.append("and goes on")
    drawer.get_by_role("button", name="Refresh the logs").click()
    expect(drawer).to_contain_text("and goes on")
    endpoints.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def test_delete_asks_first_and_then_removes(endpoints: Page, server: RunningServer) -> None:
    with server.http() as http:
        body = {"model": "anything", "name": "doomed", "engine": "echo"}
        http.post("/v1/endpoints", json=body).raise_for_status()
    endpoints.reload()
    card = endpoints.get_by_role("article", name="doomed")

    card.get_by_role("button", name="Delete doomed").click()
    endpoints.get_by_role("button", name="Cancel").click()
    expect(card).to_be_visible()

    card.get_by_role("button", name="Delete doomed").click()
    dialog = endpoints.get_by_role("dialog", name="Delete doomed?")
    dialog.get_by_role("button", name="Delete").click()
    expect(card).to_be_hidden()
    with server.http() as http:
        assert http.get("/v1/endpoints/doomed").status_code == 404


def test_a_failure_says_why_and_an_empty_list_leads_to_the_hub(endpoints: Page) -> None:
    failed = {"status": "failed", "error": "no room in memory", "restarts": 3}

    def failing(route: Route) -> None:
        answer = route.fetch().json()
        route.fulfill(json={**answer, "data": [{**answer["data"][0], **failed}]})

    endpoints.route("**/v1/endpoints?*", failing)
    endpoints.reload()
    expect(endpoints.get_by_role("alert")).to_have_text("no room in memory")
    expect(endpoints.get_by_role("article")).to_contain_text("Failed")
    expect(endpoints.get_by_role("link", name="Chat with")).to_have_count(0)

    endpoints.unroute("**/v1/endpoints?*")
    empty = {"object": "list", "data": list[object](), "has_more": False}
    endpoints.route("**/v1/endpoints?*", lambda route: route.fulfill(json=empty))
    endpoints.reload()
    expect(endpoints.get_by_role("heading", name="No model is deployed")).to_be_visible()
    endpoints.get_by_role("link", name="Deploy a model").last.click()
    expect(endpoints.get_by_role("heading", name="Hub", exact=True)).to_be_visible()


def test_new_lines_of_a_log_appear_by_themselves(endpoints: Page) -> None:
    lines = ["first"]

    def logs(route: Route) -> None:
        text = "\n".join(lines)
        route.fulfill(json={"object": "endpoint.logs", "text": text, "next": len(text)})

    endpoints.route("**/v1/endpoints/echo/logs?*", logs)
    endpoints.get_by_role("button", name="Logs of echo").click()
    log = endpoints.get_by_label("Log of echo", exact=True)
    expect(log).to_have_text("first")
    lines.append("second")
    expect(log).to_contain_text("second")


def test_members_see_what_runs_but_change_nothing(
    endpoints: Page, watched: Watched, server: RunningServer
) -> None:
    sign_in_as_member(watched, server)
    endpoints.reload()
    card = endpoints.get_by_role("article", name="echo")
    expect(card.get_by_role("link", name="Chat with echo")).to_be_visible()
    expect(card.get_by_role("button")).to_have_count(0)
    expect(endpoints.get_by_role("link", name="Deploy a model")).to_have_count(0)
