"""Tool calls in generated text: the Hermes form that Qwen and many others were trained on.

`<tool_call>{"name": …, "arguments": {…}}</tool_call>` becomes OpenAI's `tool_calls`; the text
around it stays content. Small models forget the marks: an answer that is nothing but such objects
is taken as calls too. What looks like a call and is none (broken JSON, an unknown name) stays
content, so that nothing the model said is lost.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from headstart.serving.workers.stops import overlap

OPEN, CLOSE = "<tool_call>", "</tool_call>"


@dataclass(slots=True)
class Parsed:
    content: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)  # OpenAI's, without `index`


class ToolCallParser:
    """Takes the calls of known functions out of a text that arrives in pieces.

    A text that begins with a brace is held back to its end: only then is it known what it is.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._held = ""
        self._begun = False  # whether anything but white space has come
        self._bare = False  # whether it begins as a call without marks does
        self._inside = False
        self.count = 0

    def feed(self, text: str) -> Parsed:
        parsed = Parsed()
        self._held += text
        if not self._begun:
            start = self._held.lstrip()
            self._begun, self._bare = bool(start), start.startswith("{")
        if self._bare or not self._begun:
            return parsed
        while True:
            mark = CLOSE if self._inside else OPEN
            before, found, after = self._held.partition(mark)
            if not found:
                break
            self._held = after
            self._take(before, found, parsed)
        if not self._inside:
            keep = overlap(self._held, OPEN)
            self._show(self._held[: len(self._held) - keep], parsed)
            self._held = self._held[len(self._held) - keep :]
        return parsed

    def flush(self) -> Parsed:
        """What is left at the end; a call may lack its closing mark there."""
        parsed = Parsed()
        held, self._held = self._held, ""
        calls = self._read_bare(held) if self._bare else None
        if calls is not None:
            parsed.calls, self.count = calls, len(calls)
        else:
            self._take(held, "", parsed)
        return parsed

    def _read_bare(self, text: str) -> list[dict[str, Any]] | None:
        """The calls that the text consists of; None when it has anything else in it."""
        calls = []
        rest = text.strip()
        while rest:
            try:
                value, end = json.JSONDecoder().raw_decode(rest)
            except ValueError:
                return None
            call = self._call(value)
            if call is None:
                return None
            calls.append(call)
            rest = rest[end:].lstrip(" \n,;")
        return calls

    def _take(self, text: str, mark: str, parsed: Parsed) -> None:
        if not self._inside:
            self._inside = mark == OPEN
            if text.strip() or not self._inside:
                self._show(text, parsed)
            return
        self._inside = False
        call = self._read(text)
        if call is None:
            self._show(OPEN + text + mark, parsed)
        else:
            parsed.calls.append(call)
            self.count += 1

    def _show(self, text: str, parsed: Parsed) -> None:
        if text.strip() or not self.count:  # the line breaks between calls are no content
            parsed.content += text

    def _read(self, text: str) -> dict[str, Any] | None:
        try:
            return self._call(json.loads(text))
        except ValueError:
            return None

    def _call(self, call: Any) -> dict[str, Any] | None:
        if not isinstance(call, dict) or call.get("name") not in self._names:
            return None
        arguments = call.get("arguments", call.get("parameters", {}))
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        function = {"name": call["name"], "arguments": arguments}
        return {"id": f"call_{secrets.token_hex(12)}", "type": "function", "function": function}
