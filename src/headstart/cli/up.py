"""`headstart up`: serve an assistant over your documents."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headstart.cli.output import out
from headstart.cli.startup_screen import StartupScreen
from headstart.settings import DECLARATION_NAME

if TYPE_CHECKING:
    from headstart.settings import Settings


def up(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders and files to answer from, when there is no headstart.toml."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="What to serve; default: ./headstart.toml, if it is there."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder of everything Headstart keeps.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the console in a browser.")] = True,
    insecure_bind: Annotated[
        bool, typer.Option("--insecure-bind", help="Allow a public address without TLS.")
    ] = False,
) -> None:
    """Start the server; deploy, ingest and define what headstart.toml (or PATHS) says."""
    from headstart.apps import declaration
    from headstart.settings import load

    file = config or _declared(paths)
    settings = load(
        file, host=host, port=port, home=home, insecure_bind=True if insecure_bind else None
    )
    wanted = declaration.load(file) if file else declaration.default(paths or [])
    _configure_logs(settings)
    screen = StartupScreen(open_browser=browser and sys.stdout.isatty())
    import uvloop

    from headstart.app import serve

    with screen, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, wanted, screen.started, screen.report, screen.settled))
    out.print("Stopped.")


def _declared(paths: list[Path] | None) -> Path | None:
    """`headstart.toml` here, unless PATHS say what to serve."""
    here = Path(DECLARATION_NAME)
    return here if not paths and here.exists() else None


def _configure_logs(settings: Settings) -> None:
    """The server's own log goes to a file: the terminal is for the person."""
    import logging
    from logging.handlers import RotatingFileHandler

    import structlog

    settings.logs.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(settings.logs / "server.log", maxBytes=10_000_000, backupCount=3)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
