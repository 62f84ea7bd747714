"""`headstart key`: make, list and revoke API keys; a new sign-in link for a browser."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape

from headstart.cli.client import Client
from headstart.cli.output import Json, err, out, print_json, table
from headstart.errors import BadRequest, HeadstartError, NotFound, Unavailable
from headstart.security.principal import Role

app = typer.Typer(help="API keys and sign-in links.", no_args_is_help=True)

_PATH = "/v1/organization/admin_api_keys"
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    role: Annotated[Role, typer.Option(help="'admin' may do everything.")] = Role.MEMBER,
    expires: Annotated[
        str | None, typer.Option(help="Lifetime, such as 30m, 12h or 90d; default: for ever.")
    ] = None,
    json: Json = False,
) -> None:
    """Make a key. It is shown once."""
    body: dict[str, Any] = {"name": name, "role": role.value}
    if expires is not None:
        body["expires_in_seconds"] = _seconds(expires)
    with Client.connect() as client:
        key = client.post(_PATH, body)
    if json:
        print_json(key)
        return
    err.print(f"Key '{escape(name)}' ({role.value}). Keep it: it cannot be shown again.")
    typer.echo(key["value"])


@app.command("list")
def list_keys(json: Json = False) -> None:
    """Show every key that was not revoked."""
    with Client.connect() as client:
        keys = _all(client)
    if json:
        print_json(keys)
        return
    grid = table("id", "name", "role", "key", "created", "last used", "expires")
    for key in keys:
        grid.add_row(
            key["id"],
            escape(key["name"]),
            key["owner"]["role"],
            key["redacted_value"],
            _date(key["created_at"]),
            _date(key["last_used_at"]),
            _date(key["expires_at"], "never"),
        )
    out.print(grid)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="Id or name of the key.")], json: Json = False
) -> None:
    """End a key and the browser sessions that it opened, at once."""
    with Client.connect() as client:
        deleted = client.delete(f"{_PATH}/{_find(client, key)['id']}")
    if json:
        print_json(deleted)
    else:
        out.print(f"Revoked {deleted['id']}.", highlight=False)


@app.command()
def link(json: Json = False) -> None:
    """Print a link that signs one browser in as admin, once, within an hour."""
    from headstart.security.keys import Keys
    from headstart.security.sessions import BrowserSessions
    from headstart.settings import load
    from headstart.storage.database import Database
    from headstart.storage.lock import running_server

    if os.environ.get("HEADSTART_URL"):
        raise HeadstartError(
            "A sign-in link can only be made on the server's own machine: unset HEADSTART_URL "
            "there. Elsewhere, sign in with an API key."
        )
    settings = load()
    server = running_server(settings.home)
    if server is None:
        raise Unavailable(f"No server runs on {settings.home}. 'headstart up' prints a link, too.")
    database = Database(settings.sql_url)
    token = BrowserSessions(database, Keys(database)).one_time_link()
    database.close()
    url = f"{server.address}/sign-in?token={token}"
    if json:
        print_json({"url": url})
    else:
        typer.echo(url)


def _all(client: Client) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = []
    page: dict[str, Any] = {"has_more": True, "last_id": None}
    while page["has_more"]:
        page = client.get(_PATH, limit=100, after=page["last_id"])
        keys += page["data"]
    return keys


def _find(client: Client, key: str) -> dict[str, Any]:
    keys = _all(client)
    found = [each for each in keys if each["id"] == key]
    found = found or [each for each in keys if each["name"] == key]
    if not found:
        raise NotFound(f"No key '{key}'. 'headstart key list' shows all.")
    if len(found) > 1:
        ids = ", ".join(each["id"] for each in found)
        raise BadRequest(f"{len(found)} keys are named '{key}': {ids}. Revoke one by its id.")
    return found[0]


def _seconds(text: str) -> int:
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in _UNITS or int(number) == 0:
        raise BadRequest(f"--expires {text}: write a number and m, h or d, such as 90d")
    return int(number) * int(_UNITS[unit].total_seconds())


def _date(seconds: int | None, missing: str = "–") -> str:
    if seconds is None:
        return missing
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
