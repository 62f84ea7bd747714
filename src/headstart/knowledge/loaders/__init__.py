"""Files of many formats to Markdown documents, safely: `load` is all that others need."""

from __future__ import annotations

import atexit
from functools import cache
from pathlib import Path

from headstart.knowledge.loaders.isolated import Converters
from headstart.knowledge.passages import Document


def load(path: Path, filename: str) -> Document:
    """The file at `path`, which people call `filename`, as a document. Blocks; thread-safe.

    Runs in a converter process with limits (`base.Limits`). Raises `base.LoadError`, whose
    message names the file and the reason.
    """
    return _converters().load(path, filename)


@cache
def _converters() -> Converters:
    converters = Converters()
    atexit.register(converters.close)
    return converters
