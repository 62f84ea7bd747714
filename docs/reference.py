"""Writes the reference pages that follow from the code: `docs/settings.md` and `docs/cli.md`.

`python docs/reference.py` writes them; `--check` fails when one is stale (`make check` runs that).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from headstart.cli import app
from headstart.settings import Settings

DOCS = Path(__file__).parent


def main() -> int:
    pages = {"settings.md": "\n".join(_settings()), "cli.md": "\n".join(_cli())}
    stale = [name for name, text in pages.items() if _read(DOCS / name) != text + "\n"]
    if "--check" in sys.argv:
        if stale:
            sys.stderr.write(f"stale: {', '.join(stale)}; run 'python docs/reference.py'\n")
        return 1 if stale else 0
    for name, text in pages.items():
        (DOCS / name).write_text(text + "\n")
    return 0


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _settings() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Environment over `[server]` in `headstart.toml` over the default."
    yield ""
    yield "| environment | `[server]` key | default | what it is |"
    yield "|---|---|---|---|"
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = "`~/.headstart`" if name == "home" else "–" if default is None else f"`{default}`"
        yield f"| `HEADSTART_{name.upper()}` | `{name}` | {shown} | {field.description} |"


def _cli() -> Iterator[str]:
    yield "# Command line"
    yield ""
    yield "Every command that prints a table prints JSON with `--json`. `headstart "
    yield "--install-completion` adds shell completion."
    yield from _command(typer.main.get_command(app), "headstart")


def _command(command: Any, path: str) -> Iterator[str]:
    for name, child in getattr(command, "commands", {}).items():
        yield from _command(child, f"{path} {name}")
    if hasattr(command, "commands"):
        return
    yield ""
    yield f"## `{path}`"
    yield ""
    yield inspect.cleandoc(command.help or "")
    parameters = [p for p in command.params if p.name != "help"]
    if parameters:
        yield ""
        yield "| parameter | what it is |"
        yield "|---|---|"
    for parameter in parameters:
        flags = [*parameter.opts, *parameter.secondary_opts]
        if parameter.param_type_name == "argument":
            flags = [parameter.name.upper()]
        names = ", ".join(f"`{flag}`" for flag in flags)
        yield f"| {names} | {getattr(parameter, 'help', None) or ''} |"


if __name__ == "__main__":
    sys.exit(main())
