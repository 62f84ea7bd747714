"""`headstart knowledge`: what documents there are, bring in more, search them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from headstart.cli.client import Client
from headstart.cli.output import Json, err, out, print_json, size, table
from headstart.errors import BadRequest, HeadstartError, NotFound

app = typer.Typer(help="Documents that answers are taken from.", no_args_is_help=True)

_POLL_SECONDS = 0.2
_SHOWN_CHARS = 400
_SHOWN_SKIPPED = 5

Name = Annotated[str, typer.Argument(help="Name of the knowledge, or its id (vs_…).")]


@app.command("list")
def list_(json: Json = False) -> None:
    """Show all knowledge."""
    with Client.connect() as client:
        stores = _stores(client)
    if json:
        print_json(stores)
        return
    if not stores:
        out.print("No knowledge yet. 'headstart knowledge sync NAME FOLDER' makes some.")
        return
    grid = table("name", "files>", "failed>", "text>", "status", "follows")
    for store in stores:
        counts = store["file_counts"]
        grid.add_row(
            escape(store["name"]),
            str(counts["completed"]),
            str(counts["failed"]),
            size(store["usage_bytes"]),
            store["status"].replace("_", " "),
            escape(", ".join(store["paths"])) or "[dim]uploads[/]",
        )
    out.print(grid)


@app.command()
def sync(
    name: Annotated[str, typer.Argument(help="Name of the knowledge; a new one is created.")],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders and files to follow; default: those it follows already."),
    ] = None,
    json: Json = False,
) -> None:
    """Bring the knowledge up to its folders: only what changed is touched, deletions included."""
    absolute = [str(path.expanduser().resolve()) for path in paths or []]
    with Client.connect() as client:
        store = _find(client, name)
        if store is None:
            if not absolute:
                raise BadRequest(f"No knowledge '{name}' yet. Name the folders it is to follow.")
            store = client.post("/v1/vector_stores", {"name": name})
        url = f"/v1/vector_stores/{store['id']}/sync"
        running = client.post(url, {"paths": absolute} if absolute else {})
        with _progress(json) as show:
            while running["status"] in ("queued", "in_progress"):
                time.sleep(_POLL_SECONDS)
                running = client.get(f"{url}/{running['id']}")
                if running["progress"]:
                    show(running["progress"]["done"], running["progress"]["total"])
    if running["status"] != "completed":
        raise HeadstartError(f"The sync {running['status']}: {running['error'] or 'stopped'}")
    if json:
        print_json(running["report"])
    else:
        _print_report(running["report"])


@app.command()
def status(name: Name, json: Json = False) -> None:
    """Show the files of one knowledge, those that failed with the reason."""
    with Client.connect() as client:
        store = _get(client, name)
        files = list(_pages(client, f"/v1/vector_stores/{store['id']}/files"))
    if json:
        print_json({**store, "files": files})
        return
    grid = table("file", "status", "passages>", "text>", "")
    for file in sorted(files, key=lambda each: str(each["filename"])):
        grid.add_row(
            escape(file["filename"]),
            file["status"].replace("_", " "),
            str(file["headstart"]["chunks"]),
            size(file["usage_bytes"]),
            f"[red]{escape(file['error']['message'])}[/]" if file["error"] else "",
        )
    out.print(grid)
    counts = store["file_counts"]
    out.print(
        f"[bold]{escape(store['name'])}[/] {store['id']}: {counts['completed']} of "
        f"{counts['total']} files in, {counts['in_progress']} on their way, "
        f"{counts['failed']} failed"
    )


@app.command()
def search(
    name: Name,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many passages.")] = 5,
    json: Json = False,
) -> None:
    """Find passages, as an app would."""
    with Client.connect() as client:
        store = _get(client, name)
        body = {"query": query, "max_num_results": limit}
        hits = client.post(f"/v1/vector_stores/{store['id']}/search", body)["data"]
    if json:
        print_json(hits)
        return
    if not hits:
        out.print("Nothing found.")
    for number, hit in enumerate(hits, 1):
        page = f", page {hit['page']}" if hit["page"] else ""
        where = " › ".join(hit["headings"])
        out.print(
            f"[bold]{number}. {escape(hit['filename'])}[/]{page}  "
            f"[dim]{escape(where)}  score {hit['score']:.2f}[/]"
        )
        text = " ".join(hit["content"][0]["text"].split())
        out.print(text[:_SHOWN_CHARS], markup=False, highlight=False)
        out.print()


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name of the knowledge; a new one is created.")],
    files: Annotated[list[Path], typer.Argument(help="Files to upload.", exists=True)],
    json: Json = False,
) -> None:
    """Upload files into the knowledge, from any machine."""
    with Client.connect() as client:
        store = _find(client, name) or client.post("/v1/vector_stores", {"name": name})
        url = f"/v1/vector_stores/{store['id']}/file_batches"
        uploaded = [client.upload(path)["id"] for path in files]
        batch = client.post(url, {"file_ids": uploaded})
        with _progress(json) as show:
            while batch["status"] == "in_progress":
                time.sleep(_POLL_SECONDS)
                batch = client.get(f"{url}/{batch['id']}")
                counts = batch["file_counts"]
                show(counts["total"] - counts["in_progress"], counts["total"])
        members = list(_pages(client, f"{url}/{batch['id']}/files"))
    failed = [each for each in members if each["error"]]
    if json:
        print_json(members)
    else:
        out.print(f"{len(members) - len(failed)} of {len(members)} files are in '{escape(name)}'.")
        for each in failed:
            err.print(f"[red]{escape(each['error']['message'])}[/]", highlight=False)
    if failed:
        raise typer.Exit(1)


@app.command()
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete knowledge. The files on your disk stay as they are."""
    with Client.connect() as client:
        store = _get(client, name)
        if not yes:
            count = store["file_counts"]["total"]
            typer.confirm(f"Delete '{store['name']}' with {count} files?", abort=True)
        deleted = client.delete(f"/v1/vector_stores/{store['id']}")
    if json:
        print_json(deleted)
    else:
        out.print(f"Deleted '{escape(store['name'])}'.")


def _pages(client: Client, path: str) -> Iterator[dict[str, Any]]:
    after: str | None = None
    while True:
        page = client.get(path, limit=100, after=after)
        yield from page["data"]
        if not page["has_more"]:
            return
        after = page["last_id"]


def _stores(client: Client) -> list[dict[str, Any]]:
    return list(_pages(client, "/v1/vector_stores"))


def _find(client: Client, name: str) -> dict[str, Any] | None:
    """The knowledge of that name or id; of several of a name, the oldest, as apps take it."""
    named = [store for store in _stores(client) if name in (store["name"], store["id"])]
    return named[-1] if named else None


def _get(client: Client, name: str) -> dict[str, Any]:
    store = _find(client, name)
    if store is None:
        names = ", ".join(f"'{each['name']}'" for each in _stores(client)) or "none"
        raise NotFound(f"No knowledge '{name}'; there are: {names}.")
    return store


@contextmanager
def _progress(quiet: bool) -> Iterator[Any]:
    """A bar of files, on standard error so that output can be piped."""
    columns = (TextColumn("Reading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet) as progress:
        bar = progress.add_task("files", total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


def _print_report(report: dict[str, Any]) -> None:
    words = ("added", "updated", "unchanged", "removed")
    told = [f"{report[word]} {word}" for word in words if report[word]]
    out.print(", ".join(told) or "Nothing there.")
    if skipped := report["skipped"]:
        names = [Path(each["path"]).name for each in skipped[:_SHOWN_SKIPPED]]
        more = f" and {len(skipped) - len(names)} more" if len(skipped) > len(names) else ""
        out.print(f"[dim]Skipped, not documents: {escape(', '.join(names))}{more}[/]")
    for each in report["failed"]:
        err.print(f"[red]{escape(each['path'])}[/]: {escape(each['reason'])}", highlight=False)
