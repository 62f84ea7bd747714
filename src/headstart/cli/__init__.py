"""The command line: one file per noun."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from headstart import __version__
from headstart.cli import deploy, endpoints, hub, key, knowledge, records
from headstart.cli.chat import chat
from headstart.cli.output import err
from headstart.cli.up import up
from headstart.errors import HeadstartError

app = typer.Typer(
    name="headstart",
    help="A private assistant over your own documents that keeps what it needs to learn.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(up)
app.command()(chat)
app.command("deploy")(deploy.deploy)
app.add_typer(hub.app, name="hub")
app.add_typer(endpoints.app, name="endpoints")
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(records.app, name="records")
app.add_typer(key.app, name="key")


@app.callback()
def _options(
    home: Annotated[
        Path | None,
        typer.Option(help="Folder of everything Headstart keeps.", envvar="HEADSTART_HOME"),
    ] = None,
) -> None:
    if home is not None:
        os.environ["HEADSTART_HOME"] = str(home.expanduser())


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """The entry point: what a user may see as an error is one line, not a traceback."""
    try:
        app()
    except HeadstartError as error:
        err.print(f"[bold red]Error:[/] {escape(error.message)}", highlight=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
