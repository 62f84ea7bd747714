"""`headstart.toml`: the endpoints, knowledge and apps that should exist, as typed objects.

Reading touches nothing but files; `reconcile.py` makes a declaration so. `[server]` in the same
file is read by `settings.py`. Every problem is reported at once, each with its table, its key and
what is allowed there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError

from headstart.apps.problems import did_you_mean, problems
from headstart.apps.spec import AppSpec, Spec
from headstart.errors import SettingsError
from headstart.knowledge.knowledge import EMBEDDINGS
from headstart.settings import read_toml

CHAT_MODEL = "qwen2.5-coder-0.5b-instruct"
EMBEDDING_MODEL = "all-minilm-l6-v2"

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d+[smhd])+")
_DURATION_PART = re.compile(r"(\d+)([smhd])")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TEMPLATE_FILE = re.compile(r"[^\n{}]+\.(md|txt)")


def _duration(value: object) -> float:
    """Seconds of "30m", "1h30m" or a plain number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    if isinstance(value, str) and _DURATION.fullmatch(value):
        return float(sum(int(n) * _UNITS[unit] for n, unit in _DURATION_PART.findall(value)))
    raise ValueError(f"{value!r} is not a duration; write one such as '90s', '30m' or '1h30m'")


class EndpointSpec(Spec):
    model: str
    engine: str = "auto"
    idle_timeout: Annotated[float, BeforeValidator(_duration)] | None = None
    options: dict[str, Any] = Field(default={})


class KnowledgeSpec(Spec):
    paths: list[str] = Field(default=[])  # absolute once loaded; empty: fed by upload


class Declaration(Spec):
    endpoints: dict[str, EndpointSpec] = Field(default={})
    knowledge: dict[str, KnowledgeSpec] = Field(default={})
    apps: dict[str, AppSpec] = Field(default={})
    _from_file: bool = PrivateAttr(default=False)

    @property
    def is_from_file(self) -> bool:
        """Someone wrote this, so it decides; a default gives way to what is deployed already."""
        return self._from_file


def load(path: Path) -> Declaration:
    """Read a `headstart.toml`. Relative paths in it start at its own folder."""
    tables = {name: table for name, table in read_toml(path).items() if name != "server"}
    faults: list[str] = []
    folder = path.absolute().parent
    _each(tables, "apps", faults, lambda app: _read_instructions(app, folder))
    _each(tables, "apps", faults, _refuse_guardrails)
    _each(tables, "knowledge", faults, lambda knowledge: _resolve_paths(knowledge, folder))
    try:
        declaration = Declaration.model_validate(tables)
    except ValidationError as error:
        faults += problems(error, Declaration)
    else:
        faults += _broken_names(declaration)
    if faults:
        raise SettingsError("\n".join(f"{path}: {fault}" for fault in faults))
    declaration._from_file = True
    return _with_embeddings(declaration)


def default(paths: Sequence[Path] = ()) -> Declaration:
    """What a newcomer gets without a file: the app "docs", which answers from `paths`."""
    for path in paths:
        if not path.exists():
            raise SettingsError(f"'{path}' does not exist; name a file or a folder of documents")
    documents = KnowledgeSpec(paths=[str(path.absolute()) for path in paths])
    app = AppSpec(
        endpoint="chat",
        knowledge=["docs"],
        description="Answers questions from your documents, with citations.",
    )
    return _with_embeddings(
        Declaration(
            endpoints={"chat": EndpointSpec(model=CHAT_MODEL)},
            knowledge={"docs": documents},
            apps={"docs": app},
        )
    )


def _with_embeddings(declaration: Declaration) -> Declaration:
    """Knowledge needs an embedding endpoint: the bundled one, unless there is one of that name."""
    if not declaration.knowledge or EMBEDDINGS in declaration.endpoints:
        return declaration
    bundled = EndpointSpec(model=EMBEDDING_MODEL)
    return declaration.model_copy(
        update={"endpoints": {**declaration.endpoints, EMBEDDINGS: bundled}}
    )


def _each(
    tables: dict[str, Any],
    section: str,
    faults: list[str],
    prepare: Callable[[dict[str, Any]], None],
) -> None:
    """Let `prepare` work on every table of a section; what it refuses becomes a fault."""
    for name, table in _tables_of(tables.get(section)):
        try:
            prepare(table)
        except ValueError as error:
            faults.append(f"[{section}.{name}] {error}")


def _tables_of(section: object) -> Iterable[tuple[str, dict[str, Any]]]:
    if isinstance(section, dict):
        yield from ((name, table) for name, table in section.items() if isinstance(table, dict))


def _read_instructions(app: dict[str, Any], folder: Path) -> None:
    """Replace the path of a template file by its text."""
    value = app.get("instructions")
    if not isinstance(value, str) or not _TEMPLATE_FILE.fullmatch(value):
        return
    file = folder / Path(value).expanduser()
    try:
        app["instructions"] = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"instructions: cannot read '{file}': {reason}") from error


def _refuse_guardrails(app: dict[str, Any]) -> None:
    wanted = app.pop("guardrails", [])
    if wanted:
        names = ", ".join(repr(name) for name in wanted) if isinstance(wanted, list) else wanted
        raise ValueError(f"guardrails: {names} not available; no guardrails are installed")


def _resolve_paths(knowledge: dict[str, Any], folder: Path) -> None:
    paths = knowledge.get("paths")
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        return  # the type is reported with the others
    resolved = [folder / Path(path).expanduser() for path in paths]
    for path in resolved:
        if not path.exists():  # an absent folder is not an empty one: its documents would go
            raise ValueError(f"paths: '{path}' does not exist")
    knowledge["paths"] = [str(path.resolve()) for path in resolved]


def _broken_names(declaration: Declaration) -> list[str]:
    faults = []
    sections: dict[str, Iterable[str]] = {
        "endpoints": declaration.endpoints,
        "knowledge": declaration.knowledge,
        "apps": declaration.apps,
    }
    for section, names in sections.items():
        faults += [
            f"[{section}.{name}] '{name}' cannot be a name; use letters, digits, '.', '_' and '-', "
            "at most 64"
            for name in names
            if not _NAME.fullmatch(name)
        ]
    for name, app in declaration.apps.items():
        if name in declaration.endpoints:
            faults.append(
                f"[apps.{name}] an endpoint is called '{name}' too; both are model names, so "
                "rename one"
            )
        if app.endpoint not in declaration.endpoints:
            faults.append(_unknown(name, "endpoint", app.endpoint, declaration.endpoints))
        faults += [
            _unknown(name, "knowledge", wanted, declaration.knowledge)
            for wanted in app.knowledge
            if wanted not in declaration.knowledge
        ]
    return faults


def _unknown(app: str, key: str, value: str, known: Iterable[str]) -> str:
    section = "endpoints" if key == "endpoint" else key
    return f"[apps.{app}] {key}: no [{section}.{value}] in this file{did_you_mean(value, known)}"
