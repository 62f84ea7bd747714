"""Fills the model store that tests share: `python -m tests.models`, run by `make test`.

The weights come through the real `Hub.pull`, once; tests themselves never reach a network. The
store is `HEADSTART_TEST_MODELS`, by default `.cache/models` in the repository.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

from headstart import settings
from headstart.errors import HeadstartError
from headstart.hub.hub import Hub
from headstart.hub.store import Store

NAMES = ("smollm2-135m-instruct", "all-minilm-l6-v2", "qwen2.5-coder-0.5b-instruct")
FOLDER = Path(
    os.environ.get("HEADSTART_TEST_MODELS")
    or Path(__file__).resolve().parents[1] / ".cache" / "models"
)


def require_models() -> Path:
    """The shared store with all of `NAMES` in it; else skips, or fails where CI is set."""
    store = Store(FOLDER)
    missing = [name for name in NAMES if store.find(name) is None]
    if missing:
        message = f"{', '.join(missing)} not in {FOLDER}: run 'python -m tests.models' first"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return FOLDER


def main() -> int:
    with tempfile.TemporaryDirectory() as home:
        hub = Hub(settings.load(home=Path(home)))
        hub.store = Store(FOLDER)
        for name in NAMES:
            started = time.monotonic()
            try:
                model = hub.pull(name)
            except HeadstartError as error:
                print(error.message, file=sys.stderr)  # noqa: T201 - a program's output
                return 1
            seconds = time.monotonic() - started
            print(f"{name} {model.variant}: {model.path} ({seconds:.1f} s)")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
