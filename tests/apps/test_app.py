from __future__ import annotations

from contextlib import aclosing
from typing import Any, cast

import pytest
from openai.types.chat import ChatCompletionChunk

from headstart.apps.app import App
from headstart.apps.citations import NOT_FOUND, UNMATCHED
from headstart.apps.spec import AppSpec
from headstart.errors import BadRequest, ContextTooLong, Unavailable
from headstart.knowledge.passages import Passage
from headstart.serving.base import Call
from headstart.serving.requests import ChatRequest
from tests.apps.fakes import FakeEndpoint, FakeEndpoints, FakeKnowledge, ask, call, passage

PARIS = "Paris is the capital of France. It lies on the Seine."
BERLIN = "Berlin is the capital of Germany. The Spree flows through it."


def app(
    endpoint: FakeEndpoint | None = None,
    passages: list[Passage] | FakeKnowledge | None = None,
    **spec: Any,
) -> App:
    knowledge = passages if isinstance(passages, FakeKnowledge) else FakeKnowledge(passages or [])
    if passages is not None:
        spec.setdefault("knowledge", ["docs"])
    endpoints = FakeEndpoints(chat=endpoint) if endpoint else FakeEndpoints()
    return App(
        "docs",
        3,
        AppSpec(endpoint="chat", **spec),
        cast(Any, endpoints),
        cast(Any, knowledge),
    )


async def chunks(answering: App, request: ChatRequest, made: Call) -> list[ChatCompletionChunk]:
    return [chunk async for chunk in answering.chat(made, request)]


async def text(answering: App, request: ChatRequest) -> str:
    completion = await answering.answer(call(), request)
    return completion.choices[0].message.content or ""


async def test_answer_cites_the_passage_it_comes_from() -> None:
    endpoint = FakeEndpoint(["Berl", "in is the capital of Germany [", "2", "]."])
    passages = [passage(PARIS, similarity=0.9), passage(BERLIN, number=2, similarity=0.6)]
    answering = app(endpoint, passages)

    completion = await answering.answer(call(), ask("What is the capital of Germany?"))

    message = completion.choices[0].message
    assert message.content == "Berlin is the capital of Germany [2]."
    [annotation] = message.annotations or []
    assert annotation.url_citation.url == "/passages/vs_docs/chunk_2"
    assert annotation.url_citation.title == "2.md"
    start, end = annotation.url_citation.start_index, annotation.url_citation.end_index
    assert message.content[start:end] == "[2]"
    cited = annotation.model_dump()["file_citation"]
    assert cited == {
        "number": 2,
        "store_id": "vs_docs",
        "file_id": "file-2",
        "filename": "2.md",
        "chunk_id": "chunk_2",
        "page": 2,
        "start": 100,
        "end": 100 + len("Berlin is the capital of Germany."),
        "quote": "Berlin is the capital of Germany.",
        "headings": ["Guide", "Setup"],
    }


async def test_annotations_come_on_the_finishing_chunk_only() -> None:
    answering = app(FakeEndpoint(["Paris is the capital of France."]), [passage(PARIS)])

    stream = await chunks(answering, ask("Capital of France?"), call())

    *before, finishing, usage = stream
    assert all("annotations" not in c.choices[0].delta.model_dump() for c in before)
    assert finishing.choices[0].finish_reason == "stop"
    assert len(finishing.choices[0].delta.model_dump()["annotations"]) == 1
    assert usage.choices == []
    assert usage.usage is not None
    assert {(c.id, c.model) for c in stream} == {("chatcmpl-1", "docs")}


async def test_each_choice_has_citations_of_its_own() -> None:
    answering = app(FakeEndpoint(["Paris is the capital of France."]), [passage(PARIS)])

    completion = await answering.answer(call(), ask("Capital of France?", n=2))

    assert [choice.message.content for choice in completion.choices] == [
        "Paris is the capital of France [1]."
    ] * 2
    assert all(len(choice.message.annotations or []) == 1 for choice in completion.choices)


async def test_nothing_relevant_is_said_without_asking_the_model() -> None:
    endpoint = FakeEndpoint(["I know better."])
    made = call()
    answering = app(endpoint, [passage(PARIS, similarity=0.05)])

    completion = await answering.answer(made, ask("How do I bake bread?", n=2))

    assert [c.message.content for c in completion.choices] == [NOT_FOUND] * 2
    assert completion.choices[0].message.annotations is None
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 0
    assert endpoint.requests == []
    assert made.trace.passages[0]["cited"] is False  # kept: it shows why


async def test_empty_knowledge_finds_nothing() -> None:
    endpoint = FakeEndpoint(["Hm."])
    assert await text(app(endpoint, []), ask("Anything there?")) == NOT_FOUND
    assert endpoint.requests == []


@pytest.mark.parametrize("said", ["Hello!", "good morning", "Hi there :)"])
async def test_a_greeting_gets_one_back(said: str) -> None:
    knowledge = FakeKnowledge([passage(PARIS)])
    made = call()

    completion = await app(FakeEndpoint(), knowledge).answer(made, ask(said))

    assert (completion.choices[0].message.content or "").startswith("Hello!")
    assert "docs" in (completion.choices[0].message.content or "")
    assert knowledge.queries == []
    assert made.trace.steps == [{"type": "small_talk"}]


async def test_the_trace_tells_what_happened() -> None:
    made = call()
    answering = app(
        FakeEndpoint(["Paris is the capital of France."]),
        [passage(PARIS), passage(BERLIN, number=2)],
    )

    await answering.answer(made, ask("Capital of France?"))

    trace = made.trace
    assert (trace.app, trace.endpoint, trace.keep) == ("docs", "chat", True)
    assert trace.versions == {"app": 3, "app_digest": answering.spec.digest}
    assert [step["type"] for step in trace.steps] == ["search", "prompt"]
    assert [(p["number"], p["chunk_id"], p["cited"]) for p in trace.passages] == [
        (1, "chunk_1", True),
        (2, "chunk_2", False),
    ]


async def test_record_false_keeps_no_record() -> None:
    made = call()
    await app(FakeEndpoint(["Hi"]), record=False).answer(made, ask("Hello"))
    assert made.trace.keep is False


async def test_a_cancelled_stream_stops_the_model_and_notes_what_was_cited() -> None:
    endpoint = FakeEndpoint(["Paris is the capital of France [1]. ", "More", " and more"])
    made = call()
    async with aclosing(cast(Any, app(endpoint, [passage(PARIS)]).chat(made, ask("?!")))) as stream:
        async for chunk in stream:
            if "[1]" in (chunk.choices[0].delta.content or ""):
                break

    assert endpoint.closed
    assert made.trace.passages[0]["cited"] is True


async def test_parameters_of_the_call_win_over_the_app_and_its_defaults() -> None:
    endpoint = FakeEndpoint(["x"])
    plain, own = [passage(PARIS)], {"temperature": 0.4, "max_tokens": 99}

    await text(app(endpoint, plain), ask("Capital?"))
    await text(app(endpoint, plain), ask("Capital?", regenerates="chatcmpl-0"))
    await text(app(endpoint, plain, **own), ask("Capital?"))
    await text(app(endpoint, plain, **own), ask("Capital?", temperature=1.5, max_tokens=5))
    await text(app(endpoint), ask("Capital?"))

    sent = [(request.temperature, request.token_limit) for request in endpoint.requests]
    assert sent == [(0.0, 512), (0.7, 512), (0.4, 99), (1.5, 5), (None, None)]


async def test_a_model_that_copies_its_prompt_is_stopped_at_the_next_passage() -> None:
    endpoint = FakeEndpoint(["x"])
    passages = [passage(PARIS), passage(BERLIN, number=2)]

    await text(app(endpoint, passages), ask("Capital?"))
    await text(app(endpoint, passages), ask("Capital?", stop=["END"]))
    await text(app(endpoint), ask("Capital?"))

    assert [sent.stop for sent in endpoint.requests] == [["\n\n[1]", "\n\n[2]"], ["END"], None]


async def test_without_knowledge_an_app_is_instructions_over_an_endpoint() -> None:
    endpoint = FakeEndpoint(["x = a[1]"])
    answering = app(endpoint, instructions="You are {app}, of {team}.", variables={"team": "Ops"})

    completion = await answering.answer(
        call(),
        ask(
            "",
            messages=[
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello"},
            ],
            response_format={"type": "json_object"},
            tools=[{"type": "function", "function": {"name": "f"}}],
        ),
    )

    assert completion.choices[0].message.content == "x = a[1]"
    assert endpoint.prompt == [
        ("system", "You are docs, of Ops.\n\nBe brief."),
        ("user", "Hello"),
    ]
    sent = endpoint.requests[0]
    assert sent.response_format is not None
    assert sent.tools is not None


async def test_json_from_passages_is_left_as_it_is() -> None:
    endpoint = FakeEndpoint(['{"capitals": ["Paris"], "of": [1]}'])
    request = ask("Capital of France?", response_format={"type": "json_object"})

    completion = await app(endpoint, [passage(PARIS)]).answer(call(), request)

    assert completion.choices[0].message.content == '{"capitals": ["Paris"], "of": [1]}'
    assert completion.choices[0].message.annotations is None
    assert PARIS in endpoint.prompt[-1][1]


async def test_with_tools_the_model_decides_even_when_nothing_is_found() -> None:
    endpoint = FakeEndpoint(["Let me see"])
    request = ask("Weather?", tools=[{"type": "function", "function": {"name": "weather"}}])
    assert await text(app(endpoint, []), request) == "Let me see"


FOLLOW_UP = [
    {"role": "user", "content": "How do I install it on Linux?"},
    {"role": "assistant", "content": "Run make up [1]."},
    {"role": "user", "content": "And for Windows?"},
]


async def test_a_follow_up_is_searched_with_the_question_before_it() -> None:
    endpoint = FakeEndpoint(["Use WSL."])
    knowledge = FakeKnowledge(
        [passage("Nothing of use", similarity=0.2)],
        Linux=[passage("On Windows, install it in WSL.", number=2, similarity=0.6)],
    )
    made = call()

    await app(endpoint, knowledge).answer(made, ask("", messages=FOLLOW_UP))

    assert made.trace.steps[0]["query"] == "How do I install it on Linux?\nAnd for Windows?"
    roles = [role for role, _ in endpoint.prompt]
    assert roles == ["system", "user", "assistant", "user"]
    assert endpoint.prompt[2][1] == "Run make up."  # [1] was a passage of that turn
    assert "WSL" in endpoint.prompt[3][1]


async def test_a_question_that_stands_alone_is_searched_and_answered_alone() -> None:
    knowledge = FakeKnowledge([passage(PARIS)])
    messages = [
        *FOLLOW_UP[:2],
        {"role": "user", "content": "Name the longest rivers across France"},
    ]
    await text(app(FakeEndpoint(["x"]), knowledge), ask("", messages=messages))
    assert knowledge.queries == ["Name the longest rivers across France"]


@pytest.mark.parametrize("parameters", [{}, {"response_format": {"type": "json_object"}}])
async def test_an_empty_question_is_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="last user message is empty"):
        await text(app(FakeEndpoint(), [passage(PARIS)]), ask(" \n", **parameters))


async def test_knowledge_that_cannot_search_now_says_why() -> None:
    class Pulling(FakeKnowledge):
        async def search(self, *args: Any, **kwargs: Any) -> list[Passage]:
            raise Unavailable("The model of 'embeddings' is being fetched (40%).")

    with pytest.raises(Unavailable, match="fetched"):
        await text(app(FakeEndpoint(), Pulling()), ask("Capital?"))


async def test_an_answer_that_nothing_backs_carries_a_warning() -> None:
    answering = app(FakeEndpoint(["Bananas are yellow."]), [passage(PARIS)])
    assert (await text(answering, ask("Capital?"))).endswith(UNMATCHED)


async def test_an_endpoint_that_is_not_there_is_named() -> None:
    with pytest.raises(Unavailable, match=r"endpoint 'chat'.*headstart deploy"):
        await text(app(None, [passage(PARIS)]), ask("Capital of France?"))


async def test_a_question_that_cannot_fit_is_refused_with_both_numbers() -> None:
    endpoint = FakeEndpoint(["x"], context_length=500)
    with pytest.raises(ContextTooLong, match=r"\d+ tokens.*500 tokens"):
        await text(app(endpoint, [passage(PARIS)]), ask("word " * 200))
