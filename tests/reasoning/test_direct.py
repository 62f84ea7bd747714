from __future__ import annotations

from contextlib import aclosing

from headstart.reasoning.direct import Direct
from tests.apps.fakes import FakeEndpoint, ask, call


async def test_the_answer_passes_as_it_comes() -> None:
    endpoint = FakeEndpoint(["a", "b"])
    request = ask("Why?")

    chunks = [chunk async for chunk in Direct().reason(call(), request, endpoint)]

    assert endpoint.requests == [request]
    assert [c.choices[0].delta.content for c in chunks if c.choices] == ["a", "b", None]


async def test_closing_it_stops_the_endpoint() -> None:
    endpoint = FakeEndpoint(["a", "b"])
    async with aclosing(Direct().reason(call(), ask("Why?"), endpoint)) as chunks:
        await anext(chunks)
    assert endpoint.closed
