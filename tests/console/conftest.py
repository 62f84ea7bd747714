"""The console in headless Chromium (Debian's), against a real server process.

Browsers live as long as a module: Playwright's synchronous API keeps an event loop running, which
must be gone before another module's asynchronous tests begin.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from headstart.api.console import FOLDER
from tests.server import RunningServer, running_server

expect.set_options(timeout=20_000)  # the machine may be busy

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

ECHO = """
[endpoints.echo]
model = "echo"

[endpoints.slow]
model = "echo"
options = { delay_ms = 150 }
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("no chromium: install it (Debian: apt-get install chromium)")
    if not (FOLDER / "index.html").is_file():
        pytest.fail("the console is not built: run 'make console'")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose only model is the echo, fast and slow."""
    with running_server(tmp_path_factory.mktemp("console"), ECHO) as running:
        yield running


class Watched:
    """A signed-in browser context that remembers what went wrong in it, and what it asked for."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.problems: list[str] = []
        self.requests: list[str] = []
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.problems.append(str(error.error)))
        context.on("request", lambda request: self.requests.append(request.url))

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(message.text)


@pytest.fixture
def watched(chromium: Browser, server: RunningServer) -> Iterator[Watched]:
    context = chromium.new_context(base_url=server.url)
    context.set_default_timeout(20_000)
    watched = Watched(context)
    answer = context.request.post("/v1/session", data={"key": server.key})
    assert answer.ok, answer.text()
    yield watched
    context.close()


@pytest.fixture
def page(watched: Watched) -> Page:
    """A page of the signed-in console, at a new chat."""
    page = watched.context.new_page()
    page.goto("/")
    page.get_by_role("heading", name="What would you like to know?").wait_for()
    return page


def choose(page: Page, model: str) -> None:
    page.get_by_role("button", name="Model:").click()
    page.get_by_role("menuitem", name=model).click()


def ask(page: Page, question: str) -> None:
    page.get_by_role("textbox", name="Message", exact=True).fill(question)
    page.get_by_role("button", name="Send").click()


def answered(page: Page) -> None:
    """Wait until the last answer is complete and stored."""
    page.get_by_role("button", name="Good answer").last.wait_for()


def sign_in_as_member(watched: Watched, server: RunningServer) -> None:
    """From now on the browser belongs to someone who may use things but not change them."""
    with server.http() as http:
        made = http.post("/v1/organization/admin_api_keys", json={"name": "member"})
    answer = watched.context.request.post("/v1/session", data={"key": made.json()["value"]})
    assert answer.ok, answer.text()
