from __future__ import annotations

from dataclasses import replace

import pytest

from headstart.errors import BadRequest
from headstart.hub.stored import StoredModel
from headstart.serving.echo import echo_model
from headstart.serving.engines.select import choose, load_engines
from tests.serving.fakes import FakeEngine

MODEL = replace(echo_model("smollm2"), digest="of weights")


class Refusing(FakeEngine):
    def refusal(self, model: StoredModel) -> str | None:
        return f"it does not read {model.name}"


def test_the_engines_of_the_box_are_installed() -> None:
    assert {"openvino", "openvino-embeddings", "llamacpp", "echo"} <= set(load_engines())


def test_auto_tries_the_fastest_first_and_says_who_could_not() -> None:
    engines = {"llamacpp": FakeEngine(), "echo": FakeEngine(), "openvino": Refusing()}
    choices = choose(MODEL, "auto", engines)
    assert [choice.engine for choice in choices] == [engines["llamacpp"]]
    assert "openvino: it does not read smollm2" in choices[0].reason
    engines["openvino"] = FakeEngine()
    choices = choose(MODEL, "auto", engines)
    assert [choice.engine for choice in choices] == [engines["openvino"], engines["llamacpp"]]


def test_the_one_asked_for_is_the_only_one() -> None:
    engines = {"llamacpp": FakeEngine(), "openvino": Refusing()}
    assert [choice.reason for choice in choose(MODEL, "llamacpp", engines)] == ["asked for"]
    with pytest.raises(BadRequest, match="openvino cannot serve smollm2: it does not read"):
        choose(MODEL, "openvino", engines)


def test_when_nobody_can_everybody_says_why() -> None:
    with pytest.raises(BadRequest, match="no engine can serve smollm2: a: it does not read"):
        choose(MODEL, "auto", {"a": Refusing(), "echo": FakeEngine()})


def test_echo_is_for_echo_alone() -> None:
    engines = {"openvino": FakeEngine(), "echo": FakeEngine()}
    assert [choice.engine for choice in choose(echo_model(), "auto", engines)] == [engines["echo"]]
