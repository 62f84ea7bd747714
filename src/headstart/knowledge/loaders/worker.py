"""The converter process: reads requests on its standard input and answers on its output.

A request is a line of JSON (`{"path", "filename"}`); an answer is eight bytes of length and as
much JSON: `{"text", "title", "pages"}` or `{"code", "message"}`. JSON, because what a hostile file
may have taken over must not be able to make the server unpickle something.

The process ends by itself when its input closes (the server is gone), when it has been idle, and
after so many files that leaks would matter.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from headstart.knowledge.loaders.base import Limits, LoadError
from headstart.knowledge.loaders.dispatch import load_here

_MAX_FILES = 200


def main() -> None:
    limits = Limits(**json.loads(sys.argv[1]))
    idle_seconds = float(sys.argv[2])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    _restrict(resource.RLIMIT_AS, limits.memory_bytes)
    _restrict(resource.RLIMIT_CORE, 0)
    requests = os.fdopen(0, "rb", buffering=0)
    for _ in range(_MAX_FILES):
        ready, _, _ = select.select([requests], [], [], idle_seconds)
        line = requests.readline() if ready else b""
        if not line:
            return
        signal.alarm(int(limits.seconds) + 2)  # ends the process if the server cannot any more
        answer = _answer(json.loads(line), limits)
        signal.alarm(0)
        _send(answers, answer)


def _answer(request: dict[str, str], limits: Limits) -> dict[str, Any]:
    try:
        document = load_here(Path(request["path"]), request["filename"], limits)
    except LoadError as error:
        return {"code": error.code, "message": error.message}
    return {"text": document.text, "title": document.title, "pages": document.pages}


def _send(answers: BinaryIO, answer: dict[str, Any]) -> None:
    body = json.dumps(answer, ensure_ascii=False).encode("utf-8", errors="replace")
    answers.write(len(body).to_bytes(8, "big"))
    answers.write(body)
    answers.flush()


def _restrict(what: int, limit: int) -> None:
    _, ceiling = resource.getrlimit(what)
    if ceiling != resource.RLIM_INFINITY:
        limit = min(limit, ceiling)
    with suppress(ValueError):  # macOS knows RLIMIT_AS but does not let one set it
        resource.setrlimit(what, (limit, limit))


if __name__ == "__main__":
    main()
