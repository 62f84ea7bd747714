from __future__ import annotations

from pathlib import Path

from tests.serving.fakes import ask, call, serving


async def test_deploy_and_chat(home: Path) -> None:
    async with serving(home) as endpoints:
        status = await endpoints.deploy("echo", engine="fake")
        assert status.status in ("pulling", "starting")
        await endpoints.wait_ready("echo", 20)
        endpoint = endpoints.resolve("echo")
        assert endpoint is not None
        answer = await endpoint.answer(call(), ask("hi"))
        assert answer.choices[0].message.content == "Hello"
