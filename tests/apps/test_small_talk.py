from __future__ import annotations

import pytest

from headstart.apps.small_talk import reply


def replied(message: str, *, description: str = "", knowledge: tuple[str, ...] = ("docs",)) -> str:
    return reply(message, app="helper", description=description, knowledge=list(knowledge)) or ""


@pytest.mark.parametrize(
    "said", ["hi", "Hello!", "  hey there", "Good morning.", "HALLO", "hola", "Hi, how are you?"]
)
def test_greetings(said: str) -> None:
    assert replied(said).startswith("Hello! This is **helper**. I answer questions from **docs**")


@pytest.mark.parametrize(
    "said", ["thanks", "Thank you so much!", "ok, thanks", "Danke schön", "thx"]
)
def test_thanks(said: str) -> None:
    assert replied(said).startswith("You're welcome")


@pytest.mark.parametrize("said", ["Who are you?", "what can you do", "help"])
def test_questions_about_itself(said: str) -> None:
    assert "Ask me" in replied(said)


@pytest.mark.parametrize(
    "asked",
    [
        "hello world in Python",
        "What does the thanks page say?",
        "Hi, where is the manual?",
        "help me install it",
        "thanks, and how do I remove it?",
        "",
    ],
)
def test_anything_that_may_be_a_question_is_none(asked: str) -> None:
    assert replied(asked) == ""


def test_the_description_says_what_it_is_about() -> None:
    assert "All about tea." in replied("hi", description="All about tea.")


def test_all_knowledge_is_named() -> None:
    assert "**a**, **b** and **c**" in replied("hi", knowledge=("a", "b", "c"))
