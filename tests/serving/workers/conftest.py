"""One worker per engine for all tests here: loading takes longer than asking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headstart.hub.cards import Task
from headstart.serving.engines.echo import Echo
from headstart.serving.engines.llamacpp import LlamaCpp
from headstart.serving.engines.openvino import OpenVino
from headstart.serving.engines.openvino_embeddings import OpenVinoEmbeddings
from tests.serving.workers.running import Worker, echo_model, running, stored


@pytest.fixture(scope="session")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with running(Echo(), echo_model(), tmp_path_factory.mktemp("echo")) as worker:
        yield worker


@pytest.fixture(scope="session")
def slow_echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Takes 20 ms for each word."""
    folder = tmp_path_factory.mktemp("slow")
    with running(Echo(), echo_model(), folder, {"delay_ms": 20}) as worker:
        yield worker


@pytest.fixture(scope="session")
def openvino(model_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    model = stored(model_store, "smollm2-135m-instruct", Task.CHAT, 8192)
    with running(OpenVino(), model, tmp_path_factory.mktemp("openvino")) as worker:
        yield worker


@pytest.fixture(scope="session")
def llamacpp(model_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    model = stored(model_store, "smollm2-135m-instruct", Task.CHAT, 8192)
    folder = tmp_path_factory.mktemp("llamacpp")
    with running(LlamaCpp(), model, folder, {"cache_gb": 1}) as worker:
        yield worker


@pytest.fixture(scope="session")
def embeddings(model_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    model = stored(model_store, "all-minilm-l6-v2", Task.EMBEDDING, 256)
    with running(OpenVinoEmbeddings(), model, tmp_path_factory.mktemp("embed")) as worker:
        yield worker
