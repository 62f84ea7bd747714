from __future__ import annotations

from pathlib import Path

import pytest

from headstart.errors import BadRequest
from headstart.hub.hub import Hub
from headstart.hub.machine import Machine
from headstart.serving.room import refuse_without_room
from headstart.settings import load
from tests.serving.fakes import serving

MODEL = "smollm2-135m-instruct"


def machine(memory_free: int) -> Machine:
    return Machine("cpu", 2, 8_000_000_000, memory_free, 10**12, ())


@pytest.fixture
def hub(home: Path) -> Hub:
    return Hub(load(home=home))


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with next to no free memory."""
    monkeypatch.setattr(Machine, "now", lambda _store: machine(1_000_000))


@pytest.mark.usefixtures("full")
def test_a_model_that_is_too_large_is_refused_in_plain_words(hub: Hub) -> None:
    with pytest.raises(BadRequest, match=r"does not fit this machine now\. Needs .* MB") as refused:
        refuse_without_room(hub, MODEL, "auto", {}, installed=False)
    assert "1 MB of 8.0 GB are free" in refused.value.message
    assert refused.value.code == "no_room"


@pytest.mark.usefixtures("full")
def test_force_and_what_has_no_card_pass(hub: Hub) -> None:
    refuse_without_room(hub, MODEL, "auto", {"force": True}, installed=False)
    refuse_without_room(hub, "hf:org/unknown", "auto", {}, installed=False)


def test_the_engine_that_was_asked_for_counts(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = hub.catalogue.card(MODEL).variants[0].memory
    least, most = min(memory, key=memory.__getitem__), max(memory, key=memory.__getitem__)
    assert memory[least] < memory[most]
    monkeypatch.setattr(Machine, "now", lambda _store: machine(memory[least]))
    refuse_without_room(hub, MODEL, "auto", {}, installed=False)
    refuse_without_room(hub, MODEL, least, {}, installed=False)
    with pytest.raises(BadRequest):
        refuse_without_room(hub, MODEL, most, {}, installed=False)


@pytest.mark.usefixtures("full")
async def test_what_does_not_fit_is_not_deployed(home: Path) -> None:
    async with serving(home) as endpoints:
        with pytest.raises(BadRequest, match="does not fit"):
            await endpoints.deploy(MODEL, engine="fake")
        assert endpoints.statuses() == []
        await endpoints.deploy("echo", engine="fake")
