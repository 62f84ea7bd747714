"""`headstart records`: look through what was answered, and take it elsewhere."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.panel import Panel
from rich.text import Text

from headstart.cli.client import Client
from headstart.cli.output import Json, err, out, print_json, table
from headstart.errors import BadRequest

app = typer.Typer(help="Every call that was answered.", no_args_is_help=True)

_PATH = "/v1/records"
_PAGE = 100
_STATUS = {"completed": "green", "cancelled": "yellow", "failed": "red"}

Model = Annotated[str | None, typer.Option("--model", "-m", help="The name that was called.")]
AppName = Annotated[str | None, typer.Option("--app", help="The app that answered.")]
Status = Annotated[str | None, typer.Option(help="completed, cancelled or failed.")]
Metric = Annotated[str | None, typer.Option(help="With feedback of this kind, such as thumbs.")]
Search = Annotated[str | None, typer.Option("-q", help="Text in the question or the answer.")]


@app.command("list")
def list_records(
    model: Model = None,
    app_name: AppName = None,
    status: Status = None,
    metric: Metric = None,
    q: Search = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 20,
    json: Json = False,
) -> None:
    """Show records, newest first."""
    filters = {"model": model, "app": app_name, "status": status, "metric": metric, "q": q}
    with Client.connect() as client:
        records = list(_records(client, limit, **filters))
    if json:
        print_json(records)
        return
    if not records:
        out.print("No records. Every call to a model leaves one.")
        return
    grid = table("id", "when", "model", "status", "tokens>", "ms>", "feedback", "question")
    for record in records:
        color = _STATUS[record["status"]]
        grid.add_row(
            record["id"],
            _when(record),
            escape(record["model"]),
            f"[{color}]{record['status']}[/]",
            str((record["usage"] or {}).get("total_tokens", "–")),
            f"{record['duration_ms']:.0f}",
            _feedback(record),
            Text(_question(record).replace("\n", " "), overflow="ellipsis", no_wrap=True),
        )
    out.print(grid)


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="The id that the client got.")], json: Json = False
) -> None:
    """Show everything of one call."""
    with Client.connect() as client:
        record = client.get(f"{_PATH}/{id}")
    if json:
        print_json(record)
        return
    out.print(
        f"[bold]{record['id']}[/]  {_when(record)}  {escape(record['model'])}  "
        f"[{_STATUS[record['status']]}]{record['status']}[/]  {record['duration_ms']:.0f} ms",
        highlight=False,
    )
    if record["error"]:
        out.print(Text(record["error"], style="red"))
    _panel("question", _question(record))
    for passage in record["passages"]:
        mark = "cited" if passage["cited"] else "not cited"
        page = f", page {passage['page']}" if passage["page"] else ""
        _panel(f"[{passage['number']}] {passage['filename']}{page} ({mark})", passage["text"])
    if record["prompt"]:
        _panel("prompt", record["prompt"])
    for answer in _answers(record):
        _panel("answer", answer)
    for feedback in record["feedback"]:
        out.print(Text(f"{feedback['metric']}: {feedback['value']}"))


@app.command()
def export(
    jsonl: Annotated[
        Path, typer.Option(help="File to write, one record a line; '-' is standard output.")
    ] = Path("-"),
    model: Model = None,
    app_name: AppName = None,
    status: Status = None,
    metric: Metric = None,
    q: Search = None,
) -> None:
    """Write records with their feedback, oldest first, as JSON Lines."""
    filters = {"model": model, "app": app_name, "status": status, "metric": metric, "q": q}
    with Client.connect() as client:
        lines = (
            jsonlib.dumps(record, ensure_ascii=False) + "\n"
            for record in _records(client, None, order="asc", **filters)
        )
        if str(jsonl) == "-":
            for line in lines:
                typer.echo(line, nl=False)
            return
        try:
            with jsonl.open("w", encoding="utf-8") as file:
                count = sum(1 for line in lines if file.write(line))
        except OSError as error:
            raise BadRequest(f"cannot write {jsonl}: {error.strerror}") from error
    err.print(f"{count} records in {jsonl}", highlight=False)


def _records(client: Client, limit: int | None, **params: Any) -> Iterator[dict[str, Any]]:
    """Page by page, until the end or `limit`."""
    left, after = limit, None
    while left is None or left > 0:
        size = _PAGE if left is None else min(left, _PAGE)
        page = client.get(_PATH, limit=size, after=after, **params)
        yield from page["data"]
        if not page["has_more"]:
            return
        after = page["last_id"]
        left = None if left is None else left - size


def _when(record: dict[str, Any]) -> str:
    when = datetime.fromtimestamp(record["created_at"]).astimezone()
    return when.strftime("%Y-%m-%d %H:%M:%S")


def _question(record: dict[str, Any]) -> str:
    request = record["request"]
    asked = [m for m in request.get("messages", []) if m.get("role") == "user"]
    if asked:
        content = asked[-1].get("content") or ""
        if isinstance(content, str):
            return content
        return "".join(str(part.get("text", "")) for part in content)
    given = request.get("prompt", request.get("input", ""))
    return given if isinstance(given, str) else jsonlib.dumps(given, ensure_ascii=False)


def _answers(record: dict[str, Any]) -> list[str]:
    choices = record["output"].get("choices", [])
    return [
        str(each.get("text") or each.get("message", {}).get("content") or "") for each in choices
    ]


def _feedback(record: dict[str, Any]) -> str:
    thumbs = {True: "up", False: "down"}
    return ", ".join(
        thumbs[each["value"]] if each["metric"] == "thumbs" else each["metric"]
        for each in record["feedback"]
    )


def _panel(title: str, text: str) -> None:
    out.print(Panel(Text(text), title=escape(title), title_align="left", border_style="dim"))
