"""Says what is wrong in a declaration the way its author wrote it: table, key, allowed values."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_KINDS = {
    "string_type": 'text in quotes, such as "chat"',
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": 'a list, such as ["docs"]',
    "dict_type": "a table",
    "model_type": "a table",
}


def problems(error: ValidationError, root: type[BaseModel]) -> list[str]:
    """One sentence per problem, each starting with its table."""
    return [_problem(details, root) for details in error.errors()]


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """`; did you mean 'chat'? There are: 'chat', 'embeddings'` with what is close or there."""
    names = sorted(known)
    close = difflib.get_close_matches(value, names, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else "."
    listed = ", ".join(f"'{name}'" for name in names)
    return f"{hint} There are: {listed}" if names else f"{hint} There are none"


def _problem(details: ErrorDetails, root: type[BaseModel]) -> str:
    *table, key = [str(part) for part in details["loc"]] or [""]
    where = f"[{'.'.join(table)}] " if table else ""
    match details["type"]:
        case "extra_forbidden":
            return f"{where}unknown key '{key}'{did_you_mean(key, _keys(root, table))}"
        case "missing":
            return f"{where}'{key}' is missing"
        case "literal_error":
            expected = details.get("ctx", {})["expected"]
            return f"{where}{key}: {details['input']!r} is not available; available: {expected}"
        case kind if kind in _KINDS:
            return f"{where}{key}: must be {_KINDS[kind]}, not {details['input']!r}"
        case "value_error" if isinstance(details["input"], dict):
            return f"[{'.'.join([*table, key])}] {_message(details)}"
        case "value_error":
            return f"{where}{key}: {_message(details)}"
        case _:
            return f"{where}{key}: {_message(details)}, not {details['input']!r}"


def _message(details: ErrorDetails) -> str:
    return details["msg"].removeprefix("Value error, ").removeprefix("Input ")


def _keys(root: type[BaseModel], table: list[str]) -> Iterable[str]:
    """The keys that a table may have: follow its path through the models."""
    current: Any = root
    for part in table:
        if isinstance(current, type) and issubclass(current, BaseModel):
            current = current.model_fields[part].annotation
        else:
            current = get_args(current)[-1]  # dict[str, X]: any name leads to X
    return list(current.model_fields)
