"""How commands speak: people get Rich tables, `--json` gets JSON on standard output."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

out = Console()
err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def print_json(value: Any) -> None:
    """Machine-readable output: plain JSON, whatever the terminal is."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(*columns: str, title: str | None = None) -> Table:
    """A table in the house style; numbers go into columns whose name ends in '>'."""
    grid = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for column in columns:
        right = column.endswith(">")
        grid.add_column(column.removesuffix(">"), justify="right" if right else "left")
    return grid


def size(count: float | None) -> str:
    """Bytes for people: '491 MB'."""
    if count is None:
        return "–"
    for unit in ("B", "kB", "MB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
