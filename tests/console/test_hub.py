from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.conftest import Watched, sign_in_as_member
from tests.server import RunningServer

pytestmark = pytest.mark.browser


@pytest.fixture
def hub(watched: Watched) -> Page:
    page = watched.context.new_page()
    page.goto("/hub")
    page.get_by_role("article").first.wait_for()
    return page


def test_words_and_filters_narrow_the_cards_and_stay_in_the_address(hub: Page) -> None:
    cards = hub.get_by_role("article")
    everything = cards.count()

    hub.get_by_role("searchbox", name="Search the models").fill("smollm2 360m")
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("SmolLM2 360M Instruct")
    expect(cards).to_contain_text("English")

    hub.reload()
    expect(cards).to_have_count(1)
    hub.get_by_role("searchbox", name="Search the models").fill("no such model")
    expect(hub.get_by_role("heading", name="No model matches")).to_be_visible()
    hub.get_by_role("button", name="Show all models").click()
    expect(cards).to_have_count(everything)

    hub.get_by_text("Embedding", exact=True).first.click()
    expect(cards.filter(has_text="all-MiniLM-L6-v2")).to_have_count(1)
    expect(cards.filter(has_text="SmolLM2")).to_have_count(0)

    hub.get_by_role("switch", name="Installed").click()
    expect(hub.get_by_role("heading", name="No model matches")).to_be_visible()


def test_a_card_says_why_a_model_fits(hub: Page) -> None:
    card = hub.get_by_role("article", name="SmolLM2 135M Instruct")
    card.get_by_role("button", name="Fits this machine").focus()
    expect(hub.get_by_role("tooltip")).to_contain_text("needs 293 MB of memory")


def test_the_form_deploys_under_a_name_and_leads_to_a_chat(
    hub: Page, server: RunningServer
) -> None:
    asked: list[dict[str, object]] = []

    def with_echo(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        body = json.loads(route.request.post_data or "{}")
        asked.append(body)
        return route.continue_(post_data=json.dumps({**body, "engine": "echo"}))

    hub.route("**/v1/endpoints", with_echo)
    hub.get_by_role("button", name="Deploy SmolLM2 135M Instruct").click()
    dialog = hub.get_by_role("dialog", name="Deploy SmolLM2 135M Instruct")
    dialog.get_by_role("textbox", name="Name").fill("tiny")
    dialog.get_by_label("Engine").first.click()
    hub.get_by_role("option", name="llama.cpp").click()
    dialog.get_by_label("Stop when idle").first.click()
    hub.get_by_role("option", name="After 30 minutes").click()
    dialog.get_by_role("button", name="Deploy").click()

    expect(dialog.get_by_role("status")).to_have_text("Ready")
    assert asked == [
        {
            "model": "smollm2-135m-instruct",
            "name": "tiny",
            "engine": "llamacpp",
            "idle_timeout": 1800,
            "options": {},
        }
    ]
    dialog.get_by_role("link", name="Chat with tiny").click()
    expect(hub.get_by_role("button", name="Model: tiny")).to_be_visible()

    hub.goto("/endpoints")
    expect(hub.get_by_role("article", name="tiny")).to_contain_text("After 30 minutes")


def test_what_a_deployment_is_refused_for_is_shown(hub: Page) -> None:
    hub.get_by_role("button", name="Deploy SmolLM2 360M Instruct").click()
    dialog = hub.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("echo")
    dialog.get_by_role("button", name="Deploy").click()
    expect(dialog.get_by_role("alert")).to_contain_text("echo")


def test_a_download_shows_how_far_it_is(hub: Page, server: RunningServer) -> None:
    def pulling(route: Route) -> None:
        answer = route.fetch().json()
        endpoint = {
            **answer["data"][0],
            "id": "ep_pulling",
            "name": "big",
            "model": "smollm3-3b",
            "status": "pulling",
            "progress": {"stage": "download", "done": 500_000_000, "total": 2_000_000_000},
        }
        route.fulfill(json={**answer, "data": [endpoint]})

    hub.route("**/v1/endpoints?*", pulling)
    hub.reload()
    card = hub.get_by_role("article", name="SmolLM3 3B")
    expect(card).to_contain_text("Downloading: 500 MB of 2.0 GB · 25 %")
    expect(card.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "25")


def test_a_model_opens_with_its_weights_and_where_they_come_from(hub: Page) -> None:
    title = "Qwen2.5-Coder 0.5B Instruct"
    hub.get_by_role("button", name=title, exact=True).click()
    drawer = hub.get_by_role("dialog", name=title, exact=True)
    weights = drawer.get_by_role("article", name="Q4_K_M")
    for text in ("GGUF", "491 MB", "Memory with OpenVINO", "Memory with llama.cpp"):
        expect(weights).to_contain_text(text)
    sources = weights.get_by_role("listitem")
    expect(sources.nth(0)).to_contain_text("Hugging Face")
    expect(sources.nth(1)).to_contain_text("Python packages, joined")
    expect(weights.get_by_role("button", name="Copy the SHA-256")).to_be_visible()

    hub.reload()  # the address leads to it
    expect(drawer).to_be_visible()
    drawer.get_by_role("button", name=f"Deploy {title}").click()
    expect(hub.get_by_role("dialog", name=f"Deploy {title}")).to_be_visible()
    expect(drawer).to_be_hidden()


def test_a_variant_can_be_chosen(hub: Page) -> None:
    asked: list[dict[str, object]] = []

    def refuse(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        asked.append(json.loads(route.request.post_data or "{}"))
        return route.fulfill(status=400, json={"error": {"message": "not today"}})

    hub.route("**/v1/endpoints", refuse)
    hub.get_by_role("button", name="Deploy all-MiniLM-L6-v2").click()
    dialog = hub.get_by_role("dialog")
    dialog.get_by_label("Variant").first.click()
    hub.get_by_role("option", name="float").click()
    dialog.get_by_role("button", name="Deploy").click()
    expect(dialog.get_by_role("alert")).to_have_text("not today")
    assert asked[0]["options"] == {"variant": "float"}


def test_a_hub_that_does_not_answer_says_so_and_can_be_asked_again(hub: Page) -> None:
    broken = {"error": {"message": "The catalogue cannot be read."}}
    hub.route("**/v1/hub/models?*", lambda route: route.fulfill(status=400, json=broken))
    hub.reload()
    expect(hub.get_by_role("alert")).to_contain_text("The catalogue cannot be read.")
    hub.unroute("**/v1/hub/models?*")
    hub.get_by_role("button", name="Try again").click()
    expect(hub.get_by_role("article").first).to_be_visible()


def test_members_can_look_but_not_deploy(
    hub: Page, watched: Watched, server: RunningServer
) -> None:
    sign_in_as_member(watched, server)
    hub.reload()
    expect(hub.get_by_role("article").first).to_be_visible()
    expect(hub.get_by_role("button", name="Deploy")).to_have_count(0)
