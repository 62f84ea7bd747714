"""Spells random texts of a grammar in GBNF: an independent reading of what the engines are told."""

from __future__ import annotations

import random
import re
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"(?:\\.|[^\"\\])*\")|(?P<set>\[(?:\\.|[^\]\\])*\])"
    r"|(?P<name>[a-zA-Z][a-zA-Z0-9-]*)|(?P<repeat>[*+?]|\{\d+(?:,\d*)?\})|(?P<mark>[()|]))"
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_OTHERS = "aZ09 _-é日🙂{}[]:,'/"  # for sets that say what they do not hold


class Speller:
    """Random texts of one grammar. Raises `ValueError` for a grammar that is not well formed."""

    def __init__(self, grammar: str, seed: int, most: int = 6) -> None:
        """`most`: how often something is repeated that may be repeated for ever."""
        self._rules = {}
        for line in grammar.splitlines():
            name, _, body = line.partition(" ::= ")
            self._rules[name] = _parse(body)
        self._chance = random.Random(seed)
        self._most = most
        self._depth = 0

    def text(self) -> str:
        return self._spell(("name", "root"))

    def _spell(self, node: Any) -> str:
        kind, value, *more = node
        if kind == "text":
            return str(value)
        if kind == "set":
            return str(self._chance.choice(value))
        if kind == "all":
            return "".join(map(self._spell, value))
        if kind == "any":
            shallow = self._depth > 12  # alternatives are written with the simplest last
            return self._spell(value[-1] if shallow else self._chance.choice(value))
        if kind == "repeat":
            least, most = more
            most = max(least, min(most, self._most)) if self._depth < 12 else least
            return "".join(self._spell(value) for _ in range(self._chance.randint(least, most)))
        self._depth += 1
        text = self._spell(self._rules[value])
        self._depth -= 1
        return text


def _parse(body: str) -> Any:
    tokens: list[tuple[str, str]] = []
    at = 0
    body = body.rstrip()
    while at < len(body):
        match = _TOKEN.match(body, at)
        if match is None:
            raise ValueError(f"cannot read {body[at : at + 30]!r}")
        tokens.append((str(match.lastgroup), str(match[str(match.lastgroup)])))
        at = match.end()
    node, rest = _alternatives(tokens)
    if rest:
        raise ValueError(f"left over: {rest}")
    return node


def _alternatives(tokens: list[tuple[str, str]]) -> tuple[Any, list[tuple[str, str]]]:
    choices: list[Any] = [[]]
    while tokens and tokens[0] != ("mark", ")"):
        (kind, value), tokens = tokens[0], tokens[1:]
        if (kind, value) == ("mark", "|"):
            choices.append([])
        elif (kind, value) == ("mark", "("):
            inner, tokens = _alternatives(tokens)
            tokens = tokens[1:]
            choices[-1].append(inner)
        elif kind == "repeat":
            least, most = _times(value)
            choices[-1][-1] = ("repeat", choices[-1][-1], least, most)
        elif kind == "text":
            choices[-1].append(("text", _unescape(value[1:-1])))
        elif kind == "set":
            choices[-1].append(("set", _members(value[1:-1])))
        else:
            choices[-1].append(("name", value))
    return ("any", [("all", choice) for choice in choices]), tokens


def _times(value: str) -> tuple[int, int]:
    if value in "*+?":
        return {"*": (0, 10**9), "+": (1, 10**9), "?": (0, 1)}[value]
    least, comma, most = value[1:-1].partition(",")
    return int(least), int(most) if most else 10**9 if comma else int(least)


def _unescape(text: str) -> str:
    return re.sub(
        r"\\(x[0-9a-f]{2}|.)",
        lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else _ESCAPES.get(m[1], m[1]),
        text,
    )


def _members(text: str) -> list[str]:
    negated = text.startswith("^")
    parts = re.findall(r"\\x[0-9a-f]{2}|\\.|.", text.removeprefix("^"), re.DOTALL)
    members: list[str] = []
    while parts:
        first = _unescape(parts.pop(0))
        if len(parts) >= 2 and parts[0] == "-":
            parts.pop(0)
            last = _unescape(parts.pop(0))
            members += [chr(code) for code in range(ord(first), ord(last) + 1)]
        else:
            members.append(first)
    return [c for c in _OTHERS if c not in members] if negated else members
