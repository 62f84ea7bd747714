"""The echo engine through the whole service: any name, no weights, chat and embeddings."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.errors import ContextTooLong
from headstart.serving.engines.echo import Echo
from headstart.serving.requests import CompletionRequest, EmbeddingRequest, Message
from tests.serving.fakes import ask, call, resolved, serving


async def test_echo_does_everything_under_any_name(home: Path) -> None:
    async with serving(home, {"echo": Echo()}) as endpoints:
        await endpoints.deploy("echo", idle_timeout=600)
        await endpoints.deploy("a-model-that-is-nowhere", name="other", engine="echo")
        for name in ("echo", "other"):
            assert (await endpoints.wait_ready(name, 30)).engine == "echo"
        made = call()
        answer = await resolved(endpoints, "echo").answer(made, ask("hello out there"))
        assert answer.choices[0].message.content == "hello out there"
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 3
        assert made.trace.prompt is not None
        assert "hello out there" in made.trace.prompt
        endpoint = resolved(endpoints, "other")
        request = EmbeddingRequest.model_validate({"model": "m", "input": ["a b", "a c"]})
        vectors = (await endpoint.embed(call(), request)).data
        assert len(vectors[0].embedding) == len(vectors[1].embedding) > 100
        plain = CompletionRequest.model_validate({"model": "m", "prompt": "once upon"})
        assert (await endpoint.continuation(call(), plain)).choices[0].text == "once upon"
        message = Message.model_validate({"role": "user", "content": "one two"})
        assert await endpoint.count_tokens([message]) > 2
        with pytest.raises(ContextTooLong) as error:
            await endpoint.answer(call(), ask("word " * 5000))
        assert error.value.context_length == endpoint.context_length == 4096
        assert error.value.prompt_tokens > 5000
