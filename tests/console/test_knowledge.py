"""The page of the stores: documents go in, are found, and leave again."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.console.conftest import ECHO, Watched, sign_in_as_member
from tests.server import RunningServer, running_server

pytestmark = pytest.mark.browser

BACKUP = b"# Backups\n\n## Restoring\n\nStop the server and unpack the backup into an empty one.\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    home = tmp_path_factory.mktemp("console")
    (home / "notes").mkdir()
    (home / "notes" / "keys.md").write_text("# Keys\n\nKeys are stored only as hashes.\n")
    declaration = f'{ECHO}\n[endpoints.embeddings]\nmodel = "echo"\n'
    declaration += '\n[knowledge.notes]\npaths = ["notes"]\n'
    with running_server(home, declaration) as running:
        yield running


def create(page: Page, name: str) -> None:
    page.goto("/knowledge")
    page.get_by_role("button", name="New store").first.click()
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("button", name="Create").click()
    page.get_by_role("heading", name=name, level=1).wait_for()


def test_files_are_read_found_and_deleted(page: Page, watched: Watched) -> None:
    create(page, "manual")
    page.get_by_label("Files to upload").set_input_files(
        [
            FilePayload(name="backup.md", mimeType="text/markdown", buffer=BACKUP),
            FilePayload(name="broken.pdf", mimeType="application/pdf", buffer=b"no document"),
        ]
    )
    files = page.get_by_role("list", name="Files of this store").get_by_role("listitem")
    good = files.filter(has_text="backup.md")
    bad = files.filter(has_text="broken.pdf")
    expect(good).to_contain_text("1 passage")
    expect(bad).to_contain_text("Failed")
    expect(bad).to_contain_text("is not a .pdf file")

    page.get_by_label("Question to search for").fill("unpack the backup")
    page.get_by_role("button", name="Search").click()
    hits = page.get_by_role("list", name="Passages found")
    expect(hits).to_contain_text(re.compile(r"backup\.md.*Backups"))
    hits.get_by_role("button").first.click()
    passage = page.get_by_role("dialog", name="backup.md")
    expect(passage.locator("[data-passage]")).to_contain_text("into an empty one")
    passage.get_by_role("button", name="Close the passage").click()

    page.get_by_role("button", name="Delete broken.pdf").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(bad).to_have_count(0)
    expect(good).to_be_visible()

    page.get_by_role("link", name="Knowledge").first.click()
    expect(page.get_by_role("link", name=re.compile("manual.*Ready.*1 file"))).to_be_visible()
    assert watched.problems == []


def test_a_store_that_follows_a_folder_is_brought_up_to_date(
    page: Page, server: RunningServer
) -> None:
    page.goto("/knowledge")
    page.get_by_role("link", name=re.compile("notes.*Follows notes")).click()
    files = page.get_by_role("list", name="Files of this store")
    expect(files).to_contain_text("keys.md")

    (server.home / "notes" / "tokens.md").write_text("# Tokens\n\nTokens expire after an hour.\n")
    page.get_by_role("button", name="Sync").click()
    expect(page.get_by_text("Up to date: 1 added, 1 unchanged.")).to_be_visible()
    expect(files).to_contain_text("tokens.md")


def test_a_store_is_deleted(page: Page, server: RunningServer) -> None:
    create(page, "short-lived")
    page.get_by_role("button", name="More about this store").click()
    page.get_by_role("menuitem", name="Delete store").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("heading", name="Knowledge", level=1).wait_for()
    with server.http() as http:
        names = [store["name"] for store in http.get("/v1/vector_stores").json()["data"]]
    assert "short-lived" not in names


def test_failed_files_are_found_among_many(page: Page) -> None:
    create(page, "mixed")
    page.get_by_label("Files to upload").set_input_files(
        [
            FilePayload(name="good.md", mimeType="text/markdown", buffer=BACKUP),
            FilePayload(name="bad.pdf", mimeType="application/pdf", buffer=b"no document"),
        ]
    )
    files = page.get_by_role("list", name="Files of this store").get_by_role("listitem")
    page.get_by_role("radiogroup", name="Which files").get_by_text("Failed 1").click()
    expect(files).to_have_count(1)
    expect(files).to_contain_text("bad.pdf")
    page.get_by_role("button", name="Delete bad.pdf").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(files.filter(has_text="good.md")).to_be_visible()


def test_a_refused_upload_says_why_and_can_be_dismissed(page: Page) -> None:
    create(page, "refusing")
    refusal = {"error": {"message": "The file is larger than 100 MB."}}
    page.route("**/v1/files", lambda route: route.fulfill(status=413, json=refusal))
    page.get_by_label("Files to upload").set_input_files(
        FilePayload(name="huge.txt", mimeType="text/plain", buffer=b"much")
    )
    files = page.get_by_role("list", name="Files of this store").get_by_role("listitem")
    expect(files).to_contain_text("Not uploaded")
    expect(files).to_contain_text("larger than 100 MB")
    page.get_by_role("button", name="Dismiss huge.txt").click()
    expect(files).to_have_count(0)


def test_an_upload_shows_how_far_it_is(page: Page) -> None:
    create(page, "uploading")
    held: list[Route] = []
    page.route("**/v1/files", lambda route: held.append(route))
    page.get_by_label("Files to upload").set_input_files(
        FilePayload(name="slow.md", mimeType="text/markdown", buffer=BACKUP)
    )
    row = page.get_by_role("list", name="Files of this store").get_by_role("listitem")
    expect(row.get_by_role("progressbar", name="Progress of slow.md")).to_have_count(1)
    expect(row).to_contain_text(re.compile("Uploading|Handing over"))
    held[0].continue_()
    expect(row).to_contain_text("1 passage")


def test_members_search_but_change_nothing(
    page: Page, watched: Watched, server: RunningServer
) -> None:
    sign_in_as_member(watched, server)
    page.goto("/knowledge")
    page.get_by_role("link", name=re.compile("notes.*Follows notes")).click()
    expect(page.get_by_role("list", name="Files of this store")).to_contain_text("keys.md")
    for name in ("Upload files", "Sync", "More about this store", "Delete keys.md"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    page.get_by_label("Question to search for").fill("hashes")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("list", name="Passages found")).to_contain_text("keys.md")
