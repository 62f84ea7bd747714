"""`headstart deploy`: put a model into service and watch it get there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from headstart.cli.client import Client
from headstart.cli.output import Json, err, out, print_json, size
from headstart.errors import BadRequest, HeadstartError
from headstart.serving.idle import seconds

_POLL_SECONDS = 0.2


def deploy(
    model: Annotated[
        str, typer.Argument(help="A model of the hub, 'hf:org/repo[/file.gguf]', or a path.")
    ],
    name: Annotated[
        str | None, typer.Option(help="Name to call it by; default: the model's own.")
    ] = None,
    engine: Annotated[
        str, typer.Option(help="Engine, or 'auto': the fastest that can load it.")
    ] = "auto",
    idle_timeout: Annotated[
        str, typer.Option(help="Stop after so long without a call: '30m', '2h', 'never'.")
    ] = "never",
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE for the engine.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Deploy even if the memory seems too small.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until it answers.")] = True,
    json: Json = False,
) -> None:
    """Put a model into service. Doing it again changes nothing."""
    options = {"force": True} if force else {}
    body: dict[str, Any] = {
        "model": _absolute(model),
        "engine": engine,
        "idle_timeout": seconds(idle_timeout),
        "options": options | dict(_option(text) for text in option or []),
    }
    if name is not None:
        body["name"] = name
    with Client.connect() as client:
        endpoint = client.post("/v1/endpoints", body)
        if wait:
            endpoint = watch(client, endpoint)
    if json:
        print_json(endpoint)
    else:
        _report(endpoint)
    if endpoint["status"] == "failed":
        raise typer.Exit(1)


def _absolute(model: str) -> str:
    """A path as the server sees it, whose working folder is another; names stay as they are."""
    path = Path(model).expanduser()
    is_path = model.startswith(("/", "./", "../", "~")) or path.is_file()
    return str(path.resolve()) if is_path else model


def watch(client: Client, endpoint: dict[str, Any]) -> dict[str, Any]:
    """Show a progress bar on standard error until the endpoint answers or has failed."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"))
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bar:
        task = bar.add_task("", total=None, done="")
        while endpoint["status"] in ("pulling", "starting"):
            _show(bar, task, endpoint)
            time.sleep(_POLL_SECONDS)
            endpoint = client.get(f"/v1/endpoints/{endpoint['id']}")
    return endpoint


def _show(bar: Progress, task: TaskID, endpoint: dict[str, Any]) -> None:
    progress = endpoint["progress"] or {"stage": None, "done": 0, "total": None}
    total, stage = progress["total"], progress["stage"]
    done = f"{size(progress['done'])} of {size(total)}" if total else ""
    description = f"{endpoint['name']}: {stage or endpoint['status']}"
    bar.update(task, description=description, completed=progress["done"], total=total, done=done)


def _option(text: str) -> tuple[str, Any]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise BadRequest(f"'{text}' is not KEY=VALUE", param="option")
    for number in (int, float):
        try:
            return key, number(value)
        except ValueError:
            continue
    return key, {"true": True, "false": False}.get(value, value)


def _report(endpoint: dict[str, Any]) -> None:
    name, status = endpoint["name"], endpoint["status"]
    if status == "failed":
        raise HeadstartError(
            f"'{name}' is deployed but does not run: {endpoint['error']}\n"
            f"'headstart endpoints logs {name}' shows more; it is tried again by itself."
        )
    if status in ("ready", "idle"):
        out.print(f"[green]✓[/] [bold]{name}[/] is ready", highlight=False)
        if endpoint["engine_reason"]:
            out.print(f"  engine {endpoint['engine']}: {endpoint['engine_reason']}", style="dim")
    else:
        out.print(f"[bold]{name}[/] is {status}; 'headstart endpoints list' shows how it goes")
