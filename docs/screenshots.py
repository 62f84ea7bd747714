"""Takes the pictures of the documentation: `python docs/screenshots.py` → `docs/images/*.png`.

A real server answers from `docs/` with the bundled models, in a home that is removed afterwards;
the model store of the tests (`python -m tests.models` fills it) spares the download. Needs
Debian's `chromium`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.models import FOLDER as MODELS  # noqa: E402 - the checkout is no installed package
from tests.server import RunningServer, running_server  # noqa: E402

IMAGES = ROOT / "docs" / "images"
DECLARATION = f"""
[endpoints.chat]
model = "qwen2.5-coder-0.5b-instruct"

[knowledge.docs]
paths = ["{ROOT / "docs"}"]

[apps.docs]
endpoint = "chat"
knowledge = ["docs"]
description = "Answers questions from your documents, with citations."
"""
QUESTIONS = ["What happens when a worker dies?", "What does the database keep after a restart?"]
DESKTOP = {"width": 1360, "height": 860}
PHONE = {"width": 390, "height": 844}
WAIT_MS = 180_000


def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no chromium: install it (Debian: apt-get install chromium)")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="headstart-") as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        with running_server(Path(home), DECLARATION, models=MODELS) as server:
            take(browser, server)
        browser.close()


def take(browser: Browser, server: RunningServer) -> None:
    with opened(browser, server) as page:
        for number, question in enumerate(QUESTIONS, 1):
            ask(page, question, number)
        page.locator("button[data-citation]").first.click()
        page.locator("[data-passage] mark").first.wait_for()
        snap(page, "chat")
        page.emulate_media(color_scheme="dark")
        snap(page, "chat-dark")
        page.emulate_media(color_scheme="light")
        page.get_by_role("button", name="Close the passage").click()
        page.get_by_role("button", name="Bad answer").last.click()
        page.get_by_label("What should be different?").fill("Say it in one sentence.")
        page.get_by_label("What should be different?").scroll_into_view_if_needed()
        snap(page, "feedback")
        page.get_by_role("button", name="Cancel").click()
        links = page.get_by_role("navigation", name="Pages").get_by_role("link")
        for name in links.all_inner_texts():
            page.get_by_role("link", name=name, exact=True).click()
            page.wait_for_load_state("networkidle")
            snap(page, name.lower())
    with opened(browser, server, phone=True) as page:
        ask(page, QUESTIONS[0], 1)
        snap(page, "chat-phone")


@contextmanager
def opened(browser: Browser, server: RunningServer, *, phone: bool = False) -> Iterator[Page]:
    """The start page of the console, signed in."""
    context = browser.new_context(
        base_url=server.url,
        viewport=PHONE if phone else DESKTOP,
        is_mobile=phone,
        has_touch=phone,
        device_scale_factor=2,
        reduced_motion="reduce",
    )
    context.set_default_timeout(WAIT_MS)
    assert context.request.post("/v1/session", data={"key": server.key}).ok
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()


def ask(page: Page, question: str, number: int) -> None:
    page.get_by_role("textbox", name="Message", exact=True).fill(question)
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Good answer").nth(number - 1).wait_for()


def snap(page: Page, name: str) -> None:
    page.mouse.move(0, 0)  # no tooltips
    page.wait_for_timeout(600)  # the page has no event for "everything has come to rest"
    picture = Image.open(BytesIO(page.screenshot()))
    picture.quantize(192).save(IMAGES / f"{name}.png", optimize=True)  # a quarter of the bytes
    sys.stdout.write(f"docs/images/{name}.png\n")


if __name__ == "__main__":
    main()
