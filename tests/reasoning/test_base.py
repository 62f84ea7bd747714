from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from headstart.reasoning.base import Strategy, strategies
from headstart.reasoning.direct import Direct
from tests.apps.fakes import FakeEndpoint, ask, call

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reasoning.md"


def test_ours_are_installed_as_plug_ins() -> None:
    assert strategies()["direct"] is Direct


async def test_the_strategy_of_the_documentation_works() -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(code, names)
    twice: Strategy = names["Twice"]()
    endpoint, made = FakeEndpoint(["Yes", "."]), call()

    chunks = [chunk async for chunk in twice.reason(made, ask("Why?"), endpoint)]

    assert [role for role, _ in endpoint.prompt] == ["user", "assistant", "user"]
    assert made.trace.steps == [{"type": "draft", "text": "Yes."}]
    assert chunks[-1].usage is not None
