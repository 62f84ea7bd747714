"""The prompt of an app: instructions, earlier turns, passages and the question, made to fit.

The order is instructions, earlier turns, then passages with the question: what two calls of a
conversation have in common comes first, for the engine's prefix cache. Earlier turns are given
without the passages of their own time. When it is too long, earlier turns go first (oldest first),
then passages (worst first).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from headstart.apps.citations import UNMATCHED, CitedText
from headstart.errors import ContextTooLong
from headstart.knowledge.passages import Passage
from headstart.serving.base import Endpoint
from headstart.serving.requests import ChatRequest, Message

# By trial with the bundled 0.5B model. Asked to cite by number, it writes numbers, not answers: 11
# of 24 right instead of 17. Told what to say when the documents do not help, it says that to most
# questions that they do answer. Asked for full sentences, it invents what fills them. So it is told
# little: `citations.py` finds what backs each sentence, or says that nothing does, and
# `retrieval.py` tells when there is nothing to answer from.
RULES = "Answer the question, using only what the documents say. Be brief."
NO_INSTRUCTIONS = "You are a helpful assistant."
ANSWER_SHARE = 4  # a quarter of the window is kept free for the answer, if it may be so long


@dataclass(frozen=True, slots=True)
class Chat:
    """The messages of a call, taken apart."""

    instructions: str  # what the client's system messages say
    turns: list[list[Message]]  # earlier turns, each from a user message to the answer
    question: Message
    after: list[Message]  # what follows the question already: tool calls and their results

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Chat:
        system = [message.text for message in messages if message.role in ("system", "developer")]
        rest = [message for message in messages if message.role not in ("system", "developer")]
        last = max((i for i, message in enumerate(rest) if message.role == "user"), default=0)
        turns: list[list[Message]] = []
        for message in rest[:last]:
            if message.role == "user" or not turns:
                turns.append([])
            turns[-1].append(message)
        question = rest[last] if rest else Message(role="user", content="")
        return cls("\n\n".join(system), turns, question, rest[last + 1 :])

    @property
    def previous_question(self) -> str:
        """What the user asked in the turn before, or nothing."""
        users = [m.text for turn in self.turns for m in turn if m.role == "user"]
        return users[-1] if users else ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Messages that fit, and what found room in them."""

    messages: list[Message]
    passages: list[Passage]
    turns: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Draft:
    """What should go into a prompt, from which `fit` leaves out what does not find room."""

    instructions: str
    chat: Chat
    passages: list[Passage]

    def messages(self, passages: int, turns: int) -> list[Message]:
        system = "\n\n".join(filter(None, [self.instructions, self.chat.instructions]))
        kept = self.chat.turns[len(self.chat.turns) - turns :]
        head = [Message(role="system", content=system)] if system else []
        past = [_uncited(message) if self.passages else message for t in kept for message in t]
        question = self.chat.question
        if passages:
            text = with_passages(question.text, self.passages[:passages])
            question = question.model_copy(update={"content": text})
        return [*head, *past, question, *self.chat.after]


async def fit(draft: Draft, request: ChatRequest, endpoint: Endpoint, *, memory: int) -> Prompt:
    """The fullest prompt that leaves room for the answer.

    memory: most tokens of earlier turns. Raises `ContextTooLong` when even the question with the
    best passage alone leaves no room to answer in.
    """
    sizes = _sizes(len(draft.passages), await _turns_within(draft, endpoint, memory))
    tools = _tokens_of_tools(request)
    counted: dict[int, int] = {}

    async def fits(index: int) -> bool:
        counted[index] = tools + await endpoint.count_tokens(draft.messages(*sizes[index]))
        window = endpoint.context_length  # exact once the endpoint has counted, and so runs
        answer = min(request.token_limit or window, window // ANSWER_SHARE)
        return counted[index] + answer <= window

    chosen = min(await _first(len(sizes), fits), len(sizes) - 1)
    if counted[chosen] >= endpoint.context_length:
        raise ContextTooLong(counted[chosen], endpoint.context_length)
    passages, turns = sizes[chosen]
    kept = draft.passages[:passages]
    return Prompt(draft.messages(passages, turns), kept, turns, counted[chosen])


def with_passages(question: str, passages: Sequence[Passage]) -> str:
    """The user message: numbered passages, then the question."""
    numbered = [
        f"[{number}] {_title(passage)}\n{passage.text.strip()}"
        for number, passage in enumerate(passages, 1)
    ]
    return "Documents:\n\n" + "\n\n".join(numbered) + f"\n\nQuestion: {question}"


def _title(passage: Passage) -> str:
    return " › ".join([passage.filename, *passage.headings])


def _sizes(passages: int, turns: int) -> list[tuple[int, int]]:
    """(passages, turns) from everything to the least that can be answered from."""
    sizes = [(passages, kept) for kept in range(turns, 0, -1)]
    last = min(turns, 1)
    sizes += [(kept, last) for kept in range(passages - 1, 0, -1)] if last else []
    sizes += [(kept, 0) for kept in range(passages if not last else 1, 0, -1)]
    return sizes if passages else [(0, kept) for kept in range(turns, -1, -1)]


async def _turns_within(draft: Draft, endpoint: Endpoint, memory: int) -> int:
    """How many of the newest turns have at most `memory` tokens together."""
    turns = [[_uncited(m) for m in turn] for turn in draft.chat.turns]

    async def fits(dropped: int) -> bool:
        kept = [message for turn in turns[dropped:] for message in turn]
        return await endpoint.count_tokens(kept) <= memory

    return len(turns) - await _first(len(turns), fits) if memory else 0


async def _first(count: int, fits: Callable[[int], Awaitable[bool]]) -> int:
    """The first index that fits, or `count`; whatever follows one that fits, fits too."""
    if count == 0 or await fits(0):
        return 0
    low, high = 1, count
    while low < high:
        middle = (low + high) // 2
        if await fits(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _uncited(message: Message) -> Message:
    """An earlier answer as the model wrote it: citations number the passages of their own turn."""
    if message.role != "assistant" or not message.text:
        return message
    text = CitedText([], "")
    plain = text.feed(message.text) + text.finish()
    return message.model_copy(update={"content": plain.removesuffix(UNMATCHED).rstrip()})


def _tokens_of_tools(request: ChatRequest) -> int:
    """About what the tools' definitions add; a token of JSON has some three characters."""
    return len(json.dumps(request.tools)) // 3 if request.tools else 0
