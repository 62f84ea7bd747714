from __future__ import annotations

import os
import re
import signal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Watched, answered, ask, choose
from tests.server import RunningServer

pytestmark = pytest.mark.browser


def records(server: RunningServer, **filters: Any) -> list[dict[str, Any]]:
    with server.http() as http:
        answer = http.get("/v1/records", params=filters)
        answer.raise_for_status()
        return list(answer.json()["data"])


def conversation_of(page: Page) -> str:
    page.wait_for_url(re.compile(r"/chat/conv_"))
    return page.url.rsplit("/", 1)[1]


def feedback_on(server: RunningServer, record_id: str) -> dict[str, Any]:
    with server.http() as http:
        answer = http.get("/v1/feedback", params={"record_id": record_id})
        answer.raise_for_status()
        return {each["metric"]: each["value"] for each in answer.json()["data"]}


def test_an_answer_streams_in_and_the_conversation_stays(page: Page, server: RunningServer) -> None:
    ask(page, "The first words of a long friendship")
    conversation = conversation_of(page)
    answered(page)
    transcript = page.locator("[aria-live]")
    expect(transcript).to_contain_text("The first words of a long friendship")
    expect(page.get_by_text(re.compile(r"\d+ tokens?"))).to_be_visible()

    ask(page, "And a second question")
    expect(page.get_by_role("button", name="Good answer")).to_have_count(2)

    page.reload()
    expect(page.get_by_role("button", name="Good answer")).to_have_count(2)
    listed = page.get_by_role("navigation", name="Conversations").get_by_role("link")
    expect(listed.first).to_have_text("The first words of a long friendship")

    kept = records(server, conversation=conversation, order="asc")
    assert [each["status"] for each in kept] == ["completed", "completed"]
    told = [message["content"] for message in kept[1]["request"]["messages"]]
    assert told[0] == "The first words of a long friendship"
    assert told[-1] == "And a second question"
    assert len(told) == 3


def test_markdown_is_drawn_and_nothing_in_it_runs_or_calls_out(
    page: Page, watched: Watched
) -> None:
    ask(
        page,
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nprint('hello')\n```\n\n"
        "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\n\n"
        "![spy](https://example.com/spy.png) [bad](javascript:alert(1))",
    )
    answered(page)
    answer = page.locator("[aria-live] section > div").nth(1)
    expect(answer.get_by_role("table")).to_be_visible()
    expect(answer.locator("pre .hljs-string")).to_have_text("'hello'")
    expect(answer.get_by_role("button", name="Copy code")).to_be_visible()
    expect(answer.locator("img, script")).to_have_count(0)
    expect(answer.locator("a[href^='javascript']")).to_have_count(0)
    assert "owned" not in page.title()
    assert not [url for url in watched.requests if "example.com" in url]


def test_the_page_asks_nobody_but_its_own_server(
    page: Page, watched: Watched, server: RunningServer
) -> None:
    ask(page, "Does anything leave this machine?")
    answered(page)
    page.evaluate("document.fonts.ready")
    strangers = [url for url in watched.requests if not url.startswith(f"{server.url}/")]
    assert strangers == []
    assert watched.problems == []


def test_a_reaction_is_stored_changed_and_taken_back(page: Page, server: RunningServer) -> None:
    ask(page, "What do you think of this?")
    answered(page)
    record = records(server, conversation=conversation_of(page))[0]["id"]

    page.get_by_role("button", name="Bad answer").click()
    page.get_by_label("What should be different?").fill("It repeats my question.")
    page.get_by_label("What should the answer have been?").fill("I like it very much.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Your correction")).to_contain_text("I like it")
    page.wait_for_load_state("networkidle")
    assert feedback_on(server, record) == {
        "thumbs": False,
        "comment": "It repeats my question.",
        "correction": "I like it very much.",
    }

    page.reload()
    expect(page.get_by_role("region", name="Your comment")).to_contain_text("It repeats")
    page.get_by_role("button", name="Take back: Your correction").click()
    page.get_by_role("button", name="Take back: bad answer").click()
    page.get_by_role("button", name="Change: Your comment").click()
    page.get_by_label("What should be different?").fill("Too short.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Your comment")).to_have_text(re.compile("Too short"))
    page.wait_for_load_state("networkidle")
    assert feedback_on(server, record) == {"comment": "Too short."}


def test_both_answers_are_kept_and_one_can_be_preferred(page: Page, server: RunningServer) -> None:
    ask(page, "Say it in two ways")
    answered(page)
    page.get_by_role("button", name="Another answer").click()
    expect(page.get_by_text("2 / 2")).to_be_visible()
    page.get_by_role("button", name="I prefer this one").click()
    expect(page.get_by_role("button", name="You prefer this one")).to_be_visible()
    page.wait_for_load_state("networkidle")

    first, second = records(server, conversation=conversation_of(page), order="asc")
    assert second["alternative_to"] == first["id"]
    assert feedback_on(server, second["id"]) == {"preference": {"over": first["id"]}}

    page.get_by_role("button", name="Previous answer").click()
    page.get_by_role("button", name="I prefer this one").click()
    expect(page.get_by_role("button", name="You prefer this one")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert feedback_on(server, first["id"]) == {"preference": {"over": second["id"]}}
    assert feedback_on(server, second["id"]) == {}

    page.reload()
    expect(page.get_by_text("1 / 2")).to_be_visible()


LONG = " ".join(f"word{number}" for number in range(80))


def test_stopping_keeps_what_was_written(page: Page, server: RunningServer) -> None:
    choose(page, "slow")
    ask(page, LONG)
    transcript = page.locator("[aria-live]")
    expect(transcript.locator("section > div").nth(1)).to_contain_text("word3")
    page.keyboard.press("Escape")
    expect(page.get_by_text("You stopped this answer.")).to_be_visible()
    answered(page)

    record = records(server, conversation=conversation_of(page))[0]
    assert record["status"] == "cancelled"
    said = record["output"]["choices"][0]["message"]["content"]
    assert said.startswith("word0 word1")
    assert "word79" not in said
    page.reload()
    expect(page.get_by_text("You stopped this answer.")).to_be_visible()


def test_an_answer_goes_on_while_another_page_is_open(page: Page, server: RunningServer) -> None:
    choose(page, "slow")
    ask(page, " ".join(LONG.split()[:20]))
    conversation = conversation_of(page)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    page.get_by_role("navigation", name="Conversations").get_by_role("link").first.click()
    answered(page)
    expect(page.locator("[aria-live] section > div").nth(1)).to_contain_text("word19")
    assert records(server, conversation=conversation)[0]["status"] == "completed"


def test_a_worker_that_dies_is_told_kindly_and_can_be_asked_again(
    page: Page, server: RunningServer
) -> None:
    choose(page, "slow")
    ask(page, " ".join(LONG.split()[:30]))
    expect(page.locator("[aria-live] section > div").nth(1)).to_contain_text("word2")
    with server.http() as http:
        os.kill(http.get("/v1/endpoints/slow").json()["pid"], signal.SIGKILL)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("could not be completed")
    expect(page.locator("[aria-live] section > div").nth(1)).to_contain_text("word2")

    alert.get_by_role("button", name="Try again").click()
    answered(page)
    expect(alert).to_have_count(0)
    expect(page.locator("[aria-live] section")).to_have_count(1)
    kept = records(server, conversation=conversation_of(page), order="asc")
    assert [each["status"] for each in kept] == ["failed", "completed"]


def test_keys_do_what_they_say(page: Page) -> None:
    message = page.get_by_role("textbox", name="Message", exact=True)
    expect(message).to_be_focused()
    message.press_sequentially("one")
    message.press("Shift+Enter")
    message.press_sequentially("two")
    expect(message).to_have_value("one\ntwo")
    message.press("Enter")
    answered(page)
    expect(message).to_have_value("")
    message.press("ArrowUp")
    expect(message).to_have_value("one\ntwo")

    message.fill("")
    page.get_by_role("button", name="Copy the answer").focus()
    page.keyboard.press("/")
    expect(message).to_be_focused()
    expect(message).to_have_value("")

    page.keyboard.press("Control+k")
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    expect(page.get_by_role("textbox", name="Message", exact=True)).to_be_focused()


def test_parameters_reach_the_model_and_stay(page: Page, server: RunningServer) -> None:
    page.get_by_role("button", name="Parameters").click()
    page.get_by_label("System message").fill("Be brief.")
    page.get_by_label("Max tokens").fill("3")
    page.get_by_label("Seed").fill("11")
    page.get_by_role("slider", name="Temperature").press("ArrowRight")
    page.keyboard.press("Escape")
    ask(page, "one two three four five six seven")
    expect(page.get_by_text("reached its token limit")).to_be_visible()
    request = records(server, conversation=conversation_of(page))[0]["request"]
    assert request["max_tokens"] == 3
    assert request["seed"] == 11
    assert request["temperature"] == pytest.approx(1.05)
    assert request["messages"][0] == {"role": "system", "content": "Be brief."}

    page.reload()
    page.get_by_role("button", name="Parameters").click()
    expect(page.get_by_label("Max tokens")).to_have_value("3")
    page.get_by_role("button", name="Leave all to the model").click()
    expect(page.get_by_label("System message")).to_have_value("")


def test_a_conversation_can_be_renamed_and_deleted(page: Page, server: RunningServer) -> None:
    ask(page, "Call me something else")
    answered(page)
    page.get_by_role("button", name="Options of “Call me something else”").first.click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Title of the conversation").fill("Names")
    page.keyboard.press("Enter")
    conversations = page.get_by_role("navigation", name="Conversations")
    expect(conversations.get_by_role("link", name="Names")).to_be_visible()

    page.get_by_role("button", name="Options of “Names”").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    expect(conversations.get_by_role("link", name="Names")).to_have_count(0)


def test_a_conversation_that_is_not_there_says_so(page: Page) -> None:
    page.goto("/chat/conv_000000000000000000000000")
    expect(page.get_by_text("This conversation does not exist")).to_be_visible()
    page.get_by_role("main").last.get_by_role("link", name="New chat").click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()


def test_the_colour_scheme_follows_the_system_until_it_is_chosen(page: Page) -> None:
    root = page.locator("html")
    page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-mantine-color-scheme", "dark")
    page.get_by_role("button", name=re.compile("Switch to light")).click()
    expect(root).to_have_attribute("data-mantine-color-scheme", "light")
    page.reload()
    expect(root).to_have_attribute("data-mantine-color-scheme", "light")


def test_everything_fits_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    ask(
        page,
        "a" * 200 + "\n\n| one | two | three | four | five | six | seven |\n"
        "|---|---|---|---|---|---|---|\n| wide | wider | widest | wide | wider | widest | wide |",
    )
    answered(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    page.get_by_role("button", name="Open the navigation").click()
    expect(page.get_by_role("navigation", name="Conversations")).to_be_visible()
    page.get_by_role("button", name="New chat").click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    expect(page.get_by_role("navigation", name="Conversations")).not_to_be_visible()
