"""`headstart chat`: talk to a model or an app in the terminal."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from headstart.cli.client import Client
from headstart.cli.output import Json, err, out, print_json
from headstart.errors import HeadstartError, NotFound


def chat(
    message: Annotated[
        str | None, typer.Argument(help="One question; without it, a conversation starts.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Model or app; default: the first app.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="Instructions for the model.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, max=2)] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1)] = None,
    json: Json = False,
) -> None:
    """Ask one question, or hold a conversation (/new starts over, /exit leaves)."""
    with Client.connect() as client:
        body: dict[str, Any] = {"model": model or _default_model(client)}
        if temperature is not None:
            body["temperature"] = temperature
        if max_tokens is not None:
            body["max_tokens"] = max_tokens
        opening = [{"role": "system", "content": system}] if system else []
        if message is None:
            _converse(client, body, opening)
            return
        messages = [*opening, {"role": "user", "content": message}]
        if json:
            print_json(client.post("/v1/chat/completions", {**body, "messages": messages}))
        else:
            _print_answer(client, body, messages)


def _default_model(client: Client) -> str:
    models = [m for m in client.get("/v1/models")["data"] if m["headstart"]["task"] == "chat"]
    if not models:
        raise NotFound("Nothing to chat with yet. Deploy a model: 'headstart deploy MODEL'.")
    apps = [m for m in models if m["headstart"]["kind"] == "app"]
    return str((apps or models)[0]["id"])


def _converse(client: Client, body: dict[str, Any], opening: list[dict[str, Any]]) -> None:
    out.print(f"[bold]{body['model']}[/]  [dim]/new starts over, /exit or Ctrl-D leaves[/]")
    messages = list(opening)
    while True:
        try:
            line = out.input("[bold cyan]›[/] ").strip()
        except EOFError:
            out.print()
            return
        if line in ("/exit", "/quit"):
            return
        if line == "/new":
            messages = list(opening)
            continue
        if not line:
            continue
        messages.append({"role": "user", "content": line})
        try:
            answer = _print_answer(client, body, messages)
        except HeadstartError as error:
            messages.pop()
            err.print(f"[bold red]Error:[/] {error.message}", highlight=False)
        except KeyboardInterrupt:
            messages.pop()
            out.print("\n[dim]stopped[/]")
        else:
            messages.append({"role": "assistant", "content": answer})


def _print_answer(client: Client, body: dict[str, Any], messages: list[dict[str, Any]]) -> str:
    """Print the answer as it arrives, then the sources it cites; returns its text."""
    text, annotations = "", list[dict[str, Any]]()
    for chunk in client.stream("/v1/chat/completions", {**body, "messages": messages}):
        for choice in chunk["choices"]:
            piece = choice["delta"].get("content") or ""
            text += piece
            annotations += choice["delta"].get("annotations") or []
            out.print(piece, end="", markup=False, highlight=False, soft_wrap=True)
    out.print()
    for line in _sources(annotations):
        out.print(f"[dim]{line}[/]", highlight=False)
    return text


def _sources(annotations: list[dict[str, Any]]) -> list[str]:
    lines: dict[int, str] = {}
    for annotation in annotations:
        citation = annotation.get("file_citation")
        if citation is not None:
            page = f", page {citation['page']}" if citation["page"] else ""
            lines[citation["number"]] = f"\\[{citation['number']}] {citation['filename']}{page}"
    return [lines[number] for number in sorted(lines)]
