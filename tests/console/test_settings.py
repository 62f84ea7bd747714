from __future__ import annotations

import httpx2
import pytest
from playwright.sync_api import Page, expect

from headstart import __version__
from tests.console.conftest import Watched, sign_in_as_member
from tests.server import RunningServer

pytestmark = pytest.mark.browser


@pytest.fixture
def settings(watched: Watched) -> Page:
    page = watched.context.new_page()
    page.goto("/settings")
    page.get_by_role("heading", name="API keys").wait_for()
    return page


def models(server: RunningServer, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.get(f"{server.url}/v1/models", headers=headers).status_code


def test_the_examples_name_this_server_and_a_model(settings: Page, server: RunningServer) -> None:
    settings.context.grant_permissions(["clipboard-read", "clipboard-write"])
    settings.get_by_role("button", name="Copy the base URL").click()
    assert settings.evaluate("navigator.clipboard.readText()") == server.openai_url

    example = settings.get_by_role("figure")
    expect(example).to_contain_text(f'OpenAI(base_url="{server.openai_url}"')
    expect(example).to_contain_text('model="echo"')
    settings.get_by_text("curl", exact=True).click()
    expect(example).to_contain_text(f"curl {server.openai_url}/chat/completions")


def test_a_key_is_shown_once_works_and_can_be_revoked(
    settings: Page, server: RunningServer
) -> None:
    settings.get_by_role("button", name="New key").click()
    dialog = settings.get_by_role("dialog", name="New key")
    dialog.get_by_role("textbox", name="Name").fill("notebook")
    dialog.get_by_label("Expires").first.click()
    settings.get_by_role("option", name="In 7 days").click()
    dialog.get_by_role("button", name="Create").click()
    secret = dialog.get_by_test_id("secret").inner_text()
    assert models(server, secret) == 200

    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_be_hidden()
    row = settings.get_by_role("row", name="notebook")
    expect(row).to_contain_text("member")
    expect(settings.get_by_text(secret)).to_have_count(0)
    settings.reload()
    expect(row).to_be_visible()
    expect(settings.get_by_text(secret)).to_have_count(0)

    row.get_by_role("button", name="Revoke notebook").click()
    settings.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_be_hidden()
    assert models(server, secret) == 401


def test_members_see_the_examples_but_no_keys(
    settings: Page, watched: Watched, server: RunningServer
) -> None:
    sign_in_as_member(watched, server)
    settings.reload()
    expect(settings.get_by_role("heading", name="API", exact=True)).to_be_visible()
    expect(settings.get_by_role("heading", name="API keys")).to_have_count(0)


def test_the_version_that_runs_is_said(settings: Page) -> None:
    server = settings.get_by_role("region", name="This server")
    expect(server).to_contain_text(__version__)
    expect(server).to_contain_text("free")
