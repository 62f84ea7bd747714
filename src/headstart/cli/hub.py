"""`headstart hub`: which models there are, which fit, and bringing them here. Needs no server."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from headstart.cli.output import Json, err, out, print_json, size, table
from headstart.hub.cards import Card, Task
from headstart.hub.fit import fit
from headstart.hub.hub import Hub, split_variant
from headstart.hub.machine import Machine
from headstart.hub.sources.base import PullProgress
from headstart.hub.stored import StoredModel
from headstart.settings import load

app = typer.Typer(help="Open models: look, fit, pull.", no_args_is_help=True)

Name = Annotated[
    str,
    typer.Argument(
        help="A model of the hub, 'name:VARIANT', 'hf:org/repo[/file.gguf]', or a path."
    ),
]


@app.callback()
def _log_to_stderr() -> None:
    """Standard output is for the answer, which `--json` makes a program read."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


@app.command("list")
def list_models(
    task: Annotated[Task | None, typer.Option(help="Only models for this task.")] = None,
    installed: Annotated[bool, typer.Option(help="Only models that are here.")] = False,
    json: Json = False,
) -> None:
    """Show the models of the hub, and whether they fit this machine now."""
    hub = Hub(load())
    cards = [card for card in hub.cards() if task in (None, card.task)]
    _show(hub, cards, installed=installed, json=json)


@app.command()
def search(
    text: Annotated[list[str], typer.Argument(help="Words to look for.")],
    task: Annotated[Task | None, typer.Option(help="Only models for this task.")] = None,
    json: Json = False,
) -> None:
    """Show the models whose card has all these words."""
    hub = Hub(load())
    _show(hub, hub.search(" ".join(text), task), installed=False, json=json)


@app.command()
def show(name: Name, json: Json = False) -> None:
    """Show everything about one model."""
    hub = Hub(load())
    card = hub.card(split_variant(name)[0])
    described = _described(hub, card, Machine.now(hub.store.folder))
    if json:
        print_json(described)
        return
    out.print(f"[bold]{escape(card.title)}[/]  {card.name}", highlight=False)
    out.print(escape(card.description), highlight=False)
    facts = table("", "")
    facts.show_header = False
    for label, value in (
        ("task", card.task),
        ("parameters", _count(card.parameters)),
        ("licence", card.license),
        ("context", f"{card.context_length:,} tokens"),
        ("dimensions", card.dimensions),
        ("languages", ", ".join(card.languages)),
        ("fine-tunable here", "yes" if card.fine_tunable else "no"),
        ("homepage", card.homepage),
        ("this machine", described["fit"]["text"]),
        ("here", described["installed"] or "no"),
    ):
        if value:
            facts.add_row(label, str(value))
    out.print(facts)
    variants = table("variant", "download>", "memory by engine")
    for variant in card.variants:
        memory = ", ".join(f"{engine} {size(need)}" for engine, need in variant.memory.items())
        variants.add_row(variant.name, size(variant.bytes), memory or "–")
    out.print(variants)


@app.command()
def pull(
    name: Name,
    variant: Annotated[str | None, typer.Option(help="Instead of the model's default.")] = None,
    json: Json = False,
) -> None:
    """Bring a model here. An interrupted pull goes on where it stopped."""
    hub = Hub(load())
    model = _pulled(hub, name, variant)
    if json:
        print_json(_stored(model))
    else:
        out.print(f"{model.name} {model.variant} ({size(model.bytes)}) is here: {model.path}")


@app.command()
def add(
    path: Annotated[Path, typer.Argument(help="A .gguf file or a model folder.")],
    name: Annotated[
        str | None, typer.Option(help="Instead of what the model calls itself.")
    ] = None,
    json: Json = False,
) -> None:
    """Register a model that is on this machine. Its files stay where they are."""
    model = Hub(load()).add_local(path, name)
    if json:
        print_json(_stored(model))
    else:
        out.print(f"Added [bold]{model.name}[/]: {model.task}, {model.context_length:,} tokens.")


@app.command()
def remove(name: Name, json: Json = False) -> None:
    """Delete a model's weights from the store."""
    gone = Hub(load()).remove(name)
    if json:
        print_json([_stored(model) for model in gone])
        return
    if not gone:
        out.print(f"Removed the unfinished download of {name}.")
    for model in gone:
        out.print(f"Removed {model.name} {model.variant} ({size(model.bytes)}).")


def _show(hub: Hub, cards: list[Card], *, installed: bool, json: bool) -> None:
    machine = Machine.now(hub.store.folder)
    rows = [_described(hub, card, machine) for card in cards]
    rows = [row for row in rows if row["installed"] or not installed]
    if json:
        print_json(rows)
        return
    if not rows:
        err.print("No model is like that. 'headstart hub list' shows all.")
        return
    grid = table("model", "task", "params>", "memory>", "context>", "fits")
    grid.columns[0].no_wrap = True
    for row in rows:
        fits = row["fit"]
        mark = "[green]here[/]" if row["installed"] else "[green]yes[/]" if fits["fits"] else "no"
        grid.add_row(
            row["name"],
            row["task"],
            _count(row["parameters"]),
            size(fits["needs"] or None),
            f"{row['context_length']:,}",
            mark,
        )
    out.print(grid)


def _described(hub: Hub, card: Card, machine: Machine) -> dict[str, Any]:
    stored = hub.find(card.name)
    variant = hub.catalogue.variant(card, stored.variant if stored else None)
    fits = fit(card, variant, machine, installed=stored is not None)
    return {
        **card.model_dump(mode="json"),
        "installed": stored.variant if stored else None,
        "fit": {name: getattr(fits, name) for name in fits.__slots__},
    }


def _stored(model: StoredModel) -> dict[str, Any]:
    return {name: str(getattr(model, name)) for name in model.__slots__} | {
        "bytes": model.bytes,
        "context_length": model.context_length,
    }


def _count(parameters: int) -> str:
    return f"{parameters / 1e9:.1f}B" if parameters >= 0.9995e9 else f"{parameters / 1e6:.0f}M"


def _pulled(hub: Hub, name: str, variant: str | None) -> StoredModel:
    """Pull under a progress bar; Ctrl-C stops at a point from which the next pull goes on."""
    cancelled = threading.Event()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def report(progress: PullProgress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(progress.stage, total=progress.total)
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total)

        try:
            return hub.pull(name, variant, progress=report, cancelled=cancelled)
        except KeyboardInterrupt:
            cancelled.set()
            raise
