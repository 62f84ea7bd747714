"""Servers that the end-to-end tests share: one on the echo engine, one on real models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.server import RunningServer, running_server

ECHO = """
[endpoints.echo]
model = "echo"
engine = "echo"

[endpoints.slow]
model = "echo"
engine = "echo"
options = { delay_ms = 50 }
"""

REAL = """
[endpoints.smol-openvino]
model = "smollm2-135m-instruct"
engine = "openvino"

[endpoints.smol-llamacpp]
model = "smollm2-135m-instruct"
engine = "llamacpp"

[endpoints.chat]
model = "qwen2.5-coder-0.5b-instruct"

[endpoints.embeddings]
model = "all-minilm-l6-v2"

[knowledge.handbook]
paths = ["handbook"]

[apps.docs]
endpoint = "chat"
knowledge = ["handbook"]
description = "Answers questions about the Larkspur office."
"""

HANDBOOK = {
    "visitors.md": """# Visitors

## Badges

Every visitor to the Larkspur office receives an orange badge at the front desk. The badge must be
returned before 18:30, because the turnstiles are locked at that time.

## Parking

Visitors park on level 3 of the garage in Hollis Street. Parking costs 4 euros a day and is paid at
the machine next to the lift.
""",
    "coffee.md": """# The coffee machine

The coffee machine on the second floor is descaled on the first Monday of each month by Ines Okafor.
Milk is kept in the small refrigerator below it, and is replaced every Wednesday.
""",
    "laptops.md": """# Laptops

A broken laptop is brought to the workshop in room B114, which is open from 9 to 16 o'clock. A loan
laptop is handed out for at most 10 working days.
""",
}


@pytest.fixture(scope="session")
def echo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("echo"), ECHO) as server:
        yield server


@pytest.fixture(scope="session")
def real_server(
    tmp_path_factory: pytest.TempPathFactory, model_store: Path
) -> Iterator[RunningServer]:
    """SmolLM2 on both engines, and Qwen 0.5B behind an app over a small handbook."""
    home = tmp_path_factory.mktemp("real")
    handbook = home / "handbook"
    handbook.mkdir()
    for name, text in HANDBOOK.items():
        (handbook / name).write_text(text)
    with running_server(home, REAL, models=model_store) as server:
        yield server


@pytest.fixture
def echo_client(echo_server: RunningServer) -> Iterator[OpenAI]:
    with sdk(echo_server) as client:
        yield client


@pytest.fixture
def real_client(real_server: RunningServer) -> Iterator[OpenAI]:
    with sdk(real_server) as client:
        yield client


def sdk(server: RunningServer) -> OpenAI:
    """The real SDK as a user would set it up; retries off, so that an error is seen at once."""
    return OpenAI(base_url=server.openai_url, api_key=server.key, max_retries=0, timeout=60)


def user(text: str) -> list[ChatCompletionMessageParam]:
    """A chat of one question."""
    return [{"role": "user", "content": text}]
