"""One file to one document, in this process: checks first, then the loader for what it is.

Unsafe for files of strangers: a hostile file can take all memory or crash the interpreter.
`isolated.py` runs this in a process of its own.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from headstart.knowledge.loaders.archive import check_archive
from headstart.knowledge.loaders.base import Limits, Loader, LoadError
from headstart.knowledge.loaders.sniff import ZIP_SUFFIXES, sniff
from headstart.knowledge.loaders.text import PlainText
from headstart.knowledge.passages import Document

_GROUP = "headstart.loaders"


def load_here(path: Path, filename: str, limits: Limits) -> Document:
    """Load a file. Raises `LoadError`, whatever is wrong with the file."""
    try:
        _check_size(path, filename, limits)
        document = _load(path, filename, limits)
    except LoadError:
        raise
    except OSError as error:
        raise LoadError(
            "invalid", f"'{filename}' cannot be read: {error.strerror or error}."
        ) from error
    except MemoryError as error:
        raise out_of_memory(filename, limits) from error
    except RecursionError as error:
        raise LoadError("invalid", f"'{filename}' is nested too deeply to be read.") from error
    except Exception as error:  # a converter met what its authors did not expect
        detail = " ".join(str(error).split())[:200]
        raise LoadError(
            "invalid",
            f"'{filename}' is damaged or not well-formed: {type(error).__name__}"
            f"{': ' + detail if detail else ''}",
        ) from error
    if len(document.text) > limits.text_chars:
        raise LoadError(
            "too_large",
            f"'{filename}' has {len(document.text):,} characters of text; the limit is "
            f"{limits.text_chars:,}. Split it.",
        )
    if not document.text.strip():
        raise LoadError("no_text", f"'{filename}' contains no text.")
    return document


def out_of_memory(filename: str, limits: Limits) -> LoadError:
    return LoadError(
        "too_large",
        f"'{filename}' needs more than {limits.memory_bytes / 2**20:,.0f} MiB of memory to be "
        "converted, which is the limit. Split it.",
    )


def _check_size(path: Path, filename: str, limits: Limits) -> None:
    if not path.is_file():
        raise LoadError("invalid", f"'{filename}' is not a regular file, or not there.")
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise LoadError(
            "too_large",
            f"'{filename}' has {size / 2**20:,.1f} MiB; the limit is "
            f"{limits.file_bytes / 2**20:,.0f} MiB. Split it.",
        )


def _load(path: Path, filename: str, limits: Limits) -> Document:
    loaders = _loaders()
    suffix = Path(filename).suffix.lower()
    if _is_ours(loaders.get(suffix, PlainText)):  # others know their own files
        suffix = sniff(path, filename)
        if suffix in ZIP_SUFFIXES:
            check_archive(path, filename, limits)
    return loaders.get(suffix, PlainText)().load(path, filename)


@cache
def _loaders() -> dict[str, type[Loader]]:
    """Loaders by suffix; one of another distribution replaces ours."""
    classes: list[type[Loader]] = [entry.load() for entry in entry_points(group=_GROUP)]
    classes.sort(key=_is_ours, reverse=True)
    return {suffix: loader for loader in classes for suffix in loader.suffixes}


def _is_ours(loader: type[Loader]) -> bool:
    return loader.__module__.startswith("headstart.")
