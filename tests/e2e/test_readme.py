"""The README's own code, run as it stands but for address and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headstart.apps import declaration
from tests.server import RunningServer

README = (Path(__file__).parents[2] / "README.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None, f"no {language} block in the README"
    return found[1]


@pytest.mark.real
def test_the_python_example(real_server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    code = block("python").replace("http://127.0.0.1:8080", real_server.url)
    code = code.replace("hs-…", real_server.key)
    code = re.sub(r'"content": ".*?"', '"content": "Where do visitors park?"', code)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "Hollis Street" in printed or "level 3" in printed
    assert "visitors.md →" in printed


def test_the_declaration(tmp_path: Path) -> None:
    (tmp_path / "handbook").mkdir()
    (tmp_path / "headstart.toml").write_text(block("toml"))
    declared = declaration.load(tmp_path / "headstart.toml")
    assert declared.endpoints["chat"].idle_timeout == 1800
    assert declared.apps["support"].knowledge == ["handbook"]


def test_the_pictures_are_there() -> None:
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert pictures
    assert all((Path(__file__).parents[2] / picture).is_file() for picture in pictures)


def test_the_pages_that_are_linked_are_there() -> None:
    pages = re.findall(r"\]\(((?:docs/)?[\w-]+\.md)\)", README)
    assert all((Path(__file__).parents[2] / page).is_file() for page in pages)
