from __future__ import annotations

from pathlib import Path

from prometheus_client import generate_latest

from headstart.serving.metrics import EndpointMetrics
from headstart.serving.status import State
from tests.serving.fakes import ask, call, serving


def series(endpoint: str) -> dict[str, float]:
    lines = generate_latest().decode().splitlines()
    found = [line for line in lines if f'endpoint="{endpoint}"' in line]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in found}


def test_one_state_at_a_time_and_nothing_after_the_end() -> None:
    metrics = EndpointMetrics("gone")
    metrics.show_state(State.STARTING)
    metrics.show_state(State.READY)
    found = series("gone")
    assert found['headstart_endpoint_state{endpoint="gone",state="ready"}'] == 1
    assert found['headstart_endpoint_state{endpoint="gone",state="starting"}'] == 0
    metrics.forget()
    assert series("gone") == {}


async def test_calls_are_counted(home: Path) -> None:
    async with serving(home) as endpoints:
        await endpoints.deploy("echo", name="counted", engine="fake")
        await endpoints.wait_ready("counted", 60)
        endpoint = endpoints.resolve("counted")
        assert endpoint is not None
        await endpoint.answer(call(), ask("hi"))
        stream = endpoint.chat(call(), ask("endless"))
        await anext(stream)
        assert series("counted")['headstart_requests_in_flight{endpoint="counted"}'] == 1
        await stream.aclose()
        found = series("counted")
        assert found['headstart_requests_in_flight{endpoint="counted"}'] == 0
        for outcome, count in (("completed", 1), ("cancelled", 1), ("failed", 0)):
            name = f'headstart_requests_total{{endpoint="counted",outcome="{outcome}"}}'
            assert found[name] == count
        tokens = 'headstart_tokens_total{endpoint="counted",kind="%s"}'
        assert (found[tokens % "prompt"], found[tokens % "completion"]) == (3, 2)
        await endpoints.delete("counted")
        assert series("counted") == {}
