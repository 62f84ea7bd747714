from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from headstart.api import console, errors


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site" / "console"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Headstart</title>")
    (folder / "assets" / "index-1a2b.js").write_text("export {}")
    (folder / "favicon.svg").write_text("<svg/>")
    (tmp_path / "site" / "secret").write_text("not for you")
    monkeypatch.setattr(console, "FOLDER", folder)
    return folder


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    errors.install(app)
    app.include_router(console.router)
    return TestClient(app)


@pytest.mark.parametrize("path", ["/", "/chat/conv_1", "/knowledge", "/no/such/page.html"])
def test_every_page_address_gives_the_application(
    folder: Path, client: TestClient, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "<title>Headstart</title>" in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"


def test_hashed_files_are_cached_for_good_and_others_are_asked_for_again(
    folder: Path, client: TestClient
) -> None:
    asset = client.get("/assets/index-1a2b.js")
    assert "immutable" in asset.headers["cache-control"]
    assert "javascript" in asset.headers["content-type"]

    icon = client.get("/favicon.svg")
    assert icon.headers["cache-control"] == "no-cache"
    again = client.get("/favicon.svg", headers={"If-None-Match": icon.headers["etag"]})
    assert again.status_code == 304


def test_a_file_of_an_older_build_is_not_answered_with_a_page(
    folder: Path, client: TestClient
) -> None:
    answer = client.get("/assets/index-0000.js")
    assert answer.status_code == 404
    assert "reload the page" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/assets/%2e%2e/%2e%2e/secret"])
def test_nothing_outside_the_folder_is_served(folder: Path, client: TestClient, path: str) -> None:
    assert "not for you" not in client.get(path).text


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_api_address_gives_an_error_not_a_page(
    folder: Path, client: TestClient, method: str
) -> None:
    answer = client.request(method, "/v1/modles")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_url"
    assert f"{method} /v1/modles" in answer.json()["error"]["message"]


def test_pages_forbid_foreign_scripts_and_frames(folder: Path, client: TestClient) -> None:
    headers = client.get("/").headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_without_a_build_the_page_says_how_to_make_one(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "FOLDER", tmp_path / "nothing")
    answer = client.get("/")
    assert answer.status_code == 503
    assert "make console" in answer.text
    assert answer.headers["cache-control"] == "no-store"
