"""Whether a model fits, from what is free."""

from __future__ import annotations

from headstart.hub.catalogue import Catalogue
from headstart.hub.fit import Fit, fit
from headstart.hub.machine import Machine


def on(name: str, *, memory: float, disk: float, installed: bool = False) -> Fit:
    machine = Machine("cpu", 2, 64 * 10**9, int(memory), int(disk), ())
    card = Catalogue.load().card(name)
    return fit(card, card.variants[0], machine, installed=installed)


def test_fits_when_memory_and_disk_are_free() -> None:
    found = on("smollm2-135m-instruct", memory=1e9, disk=1e9)
    assert found.fits
    assert found.engine == "llamacpp"  # needs least
    assert found.needs < found.free == 10**9
    assert found.text.startswith("Fits: needs 293 MB of memory")


def test_too_little_memory_says_both_numbers() -> None:
    found = on("llama-3.3-70b-instruct", memory=20e9, disk=1e12)
    assert not found.fits
    assert found.text == "Needs 43.9 GB of memory, 20.0 GB of 64.0 GB are free."


def test_too_little_disk_matters_only_before_the_download() -> None:
    found = on("smollm2-135m-instruct", memory=1e9, disk=1e6)
    assert (found.fits, found.text) == (False, "Needs 98 MB on disk, 1 MB are free.")
    assert on("smollm2-135m-instruct", memory=1e9, disk=1e6, installed=True).fits


def test_a_model_without_an_engine_does_not_fit() -> None:
    found = on("flan-t5-small", memory=1e12, disk=1e12)
    assert not found.fits
    assert "takes ctranslate2" in found.text
    assert "one for rerank in onnx format" in on("bge-reranker-base", memory=1e12, disk=1e12).text
