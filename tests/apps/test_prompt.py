from __future__ import annotations

import pytest

from headstart.apps.citations import UNMATCHED
from headstart.apps.prompt import Chat, Draft, Prompt, fit
from headstart.errors import ContextTooLong
from headstart.serving.requests import Message
from tests.apps.fakes import FakeEndpoint, ask, passage

PASSAGES = [passage("p" * 50, number=n) for n in (1, 2, 3)]
TURNS = [
    Message(role=role, content=f"{role[0]}{turn}" + "." * 20)
    for turn in (1, 2, 3)
    for role in ("user", "assistant")
]


def chat(*messages: Message) -> Chat:
    return Chat.of([*messages, Message(role="user", content="Why?")])


async def fitted(window: int, *, limit: int | None = 10, memory: int = 10_000) -> Prompt:
    draft = Draft("Be kind.", chat(*TURNS), PASSAGES)
    endpoint = FakeEndpoint(context_length=window)
    return await fit(draft, ask("Why?", max_tokens=limit), endpoint, memory=memory)


async def needed(passages: int, turns: int) -> int:
    """Tokens of a prompt with so much in it."""
    draft = Draft("Be kind.", chat(*TURNS), PASSAGES)
    return await FakeEndpoint().count_tokens(draft.messages(passages, turns))


@pytest.mark.parametrize(
    ("passages", "turns", "next_smaller"),
    [
        (3, 3, (3, 2)),
        (3, 2, (3, 1)),
        (3, 1, (2, 1)),
        (2, 1, (1, 1)),
        (1, 1, (1, 0)),
    ],
)
async def test_the_fullest_prompt_that_fits_to_the_token(
    passages: int, turns: int, next_smaller: tuple[int, int]
) -> None:
    window = await needed(passages, turns) + 10

    exact = await fitted(window)
    one_less = await fitted(window - 1)

    assert (len(exact.passages), exact.turns, exact.tokens) == (passages, turns, window - 10)
    assert (len(one_less.passages), one_less.turns) == next_smaller


async def test_the_answer_gets_what_is_left_when_the_least_prompt_leaves_little() -> None:
    least = await needed(1, 0)
    assert (await fitted(least + 1)).tokens == least
    with pytest.raises(ContextTooLong) as caught:
        await fitted(least)
    assert (caught.value.prompt_tokens, caught.value.context_length) == (least, least)


async def test_an_unlimited_answer_keeps_a_quarter_of_the_window_free() -> None:
    prompt = await fitted(400, limit=None)
    assert prompt.tokens <= 300
    assert (await fitted(400, limit=10)).tokens > 300


async def test_memory_limits_earlier_turns_to_the_token() -> None:
    one_turn = await FakeEndpoint().count_tokens(TURNS[-2:])
    assert (await fitted(100_000, memory=2 * one_turn)).turns == 2
    assert (await fitted(100_000, memory=2 * one_turn - 1)).turns == 1
    assert (await fitted(100_000, memory=0)).turns == 0


async def test_most_calls_count_the_prompt_once() -> None:
    class Counting(FakeEndpoint):
        counts = 0

        async def count_tokens(self, messages: list[Message]) -> int:
            self.counts += 1
            return await super().count_tokens(messages)

    endpoint = Counting()
    await fit(Draft("", chat(), PASSAGES), ask("Why?"), endpoint, memory=1000)
    assert endpoint.counts == 1


def test_two_prompts_of_a_conversation_start_alike() -> None:
    first = Draft("Be kind.", chat(*TURNS[:2]), PASSAGES).messages(3, 1)
    then = Draft("Be kind.", chat(*TURNS[:4]), PASSAGES).messages(3, 2)
    assert then[:3] == first[:3]


def test_passages_are_numbered_and_named_before_the_question() -> None:
    last = Draft("", chat(), PASSAGES[:2]).messages(2, 0)[-1].text
    assert last.index("1.md › Guide › Setup") < last.index("2.md") < last.index("Why?")


def test_earlier_answers_are_given_as_the_model_wrote_them() -> None:
    answers = ["It is so [1]. Really [2].", f"Perhaps.\n\n{UNMATCHED}"]
    earlier = [
        message
        for answer in answers
        for message in (
            Message(role="user", content="Is it [1]?"),
            Message(role="assistant", content=answer),
        )
    ]
    said = [m.text for m in Draft("", chat(*earlier), PASSAGES).messages(1, 2)]
    assert said[:4] == ["Is it [1]?", "It is so. Really.", "Is it [1]?", "Perhaps."]


def test_tool_results_stay_behind_the_question() -> None:
    messages = [
        Message(role="developer", content="Short."),
        Message(role="user", content="Weather?"),
        Message(role="assistant", tool_calls=[{"id": "1"}]),
        Message(role="tool", content="Rain", tool_call_id="1"),
    ]
    made = Draft("Be kind.", Chat.of(messages), []).messages(0, 0)
    assert [(m.role, m.text) for m in made] == [
        ("system", "Be kind.\n\nShort."),
        ("user", "Weather?"),
        ("assistant", ""),
        ("tool", "Rain"),
    ]


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_a_chat_without_a_user_message_is_still_a_chat(role: str) -> None:
    chat = Chat.of([Message.model_validate({"role": role, "content": "Hm"})])
    assert chat.previous_question == ""
    assert chat.turns == []
