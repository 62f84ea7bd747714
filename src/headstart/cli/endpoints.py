"""`headstart endpoints`: what is deployed, what it says, and its end."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from headstart.cli.client import Client
from headstart.cli.output import Json, out, print_json, size, table

app = typer.Typer(help="Deployed models.", no_args_is_help=True)

_FOLLOW_SECONDS = 0.5
_COLORS = {"ready": "green", "idle": "cyan", "failed": "red", "stopping": "yellow"}

Name = Annotated[str, typer.Argument(help="Name or id of the endpoint.")]


@app.command("list")
def list_endpoints(json: Json = False) -> None:
    """Show every endpoint."""
    with Client.connect() as client:
        endpoints = client.get("/v1/endpoints", limit=1000)["data"]
    if json:
        print_json(endpoints)
        return
    if not endpoints:
        out.print("Nothing is deployed. 'headstart deploy MODEL' changes that.")
        return
    grid = table("name", "status", "engine", "model", "memory>", "context>", "restarts>")
    for endpoint in endpoints:
        grid.add_row(
            endpoint["name"],
            _status(endpoint),
            endpoint["engine"] or f"({endpoint['requested_engine']})",
            endpoint["model"],
            size(endpoint["memory_bytes"]),
            str(endpoint["context_length"] or "–"),
            str(endpoint["restarts"]),
        )
    out.print(grid)
    for endpoint in endpoints:
        if endpoint["error"]:
            out.print(f"[red]{endpoint['name']}:[/] {escape(endpoint['error'])}", highlight=False)


@app.command()
def logs(
    name: Name,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many.")] = 200,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes; Ctrl-C ends it.")
    ] = False,
    json: Json = False,
) -> None:
    """Print what the endpoint's workers have printed."""
    path = f"/v1/endpoints/{name}/logs"
    with Client.connect() as client:
        page = client.get(path, lines=lines)
        if json:
            print_json(page)
            return
        if page["text"]:
            typer.echo(page["text"])
        while follow:
            time.sleep(_FOLLOW_SECONDS)
            page = client.get(path, after=page["next"])
            typer.echo(page["text"], nl=False)


@app.command()
def delete(name: Name, json: Json = False) -> None:
    """Stop an endpoint and forget it. Its model stays in the hub."""
    with Client.connect() as client:
        deleted = client.delete(f"/v1/endpoints/{name}")
    if json:
        print_json(deleted)
    else:
        out.print(f"Deleted [bold]{name}[/].", highlight=False)


def _status(endpoint: dict[str, Any]) -> str:
    status, progress = endpoint["status"], endpoint["progress"]
    text = str(status)
    if progress and progress["total"]:
        text += f" {100 * progress['done'] // progress['total']} %"
    return f"[{_COLORS.get(status, 'yellow')}]{text}[/]"
