"""The console's client is generated from the API as it is."""

from __future__ import annotations

import json
from pathlib import Path

from headstart.api.application import create_api

SCHEMA = Path(__file__).resolve().parents[2] / "web" / "openapi.json"


def test_the_schema_of_the_console_is_that_of_the_server() -> None:
    current = json.loads(json.dumps(create_api().openapi()))
    assert json.loads(SCHEMA.read_text()) == current, "run 'make schema' and commit what it changes"
