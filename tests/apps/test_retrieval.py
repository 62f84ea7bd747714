from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest

from headstart.apps.overlap import terms
from headstart.apps.retrieval import KEPT, RELEVANT, Found, relevance, retrieve
from headstart.knowledge.passages import Passage
from tests.apps.fakes import FakeKnowledge, passage

QUESTION = "How tall is the tower of Pisa?"
ABOUT = "The tower of Pisa is 57 metres tall."


async def search(passages: list[Passage], question: str = QUESTION, limit: int = 4) -> Found:
    knowledge = cast(Any, FakeKnowledge(passages))
    return await retrieve(knowledge, ["vs_docs"], question, "", limit)


async def test_shared_terms_make_up_for_a_distant_embedding() -> None:
    assert (await search([passage(ABOUT, similarity=0.3)])).relevant
    assert not (await search([passage("Bread needs yeast.", similarity=0.3)])).relevant
    assert (await search([passage("Bread needs yeast.", similarity=RELEVANT)])).relevant


async def test_the_most_relevant_comes_first_and_the_far_behind_are_left_out() -> None:
    found = await search(
        [
            passage("Bread needs yeast.", number=1, similarity=0.6),
            passage("Milk is white.", number=2, similarity=KEPT * 0.8 - 0.01),
            passage(ABOUT, number=3, similarity=0.5),
        ]
    )
    assert [each.id for each in found.passages] == ["chunk_3", "chunk_1"]
    assert found.relevance == pytest.approx(0.8)


async def test_no_more_passages_than_asked_for() -> None:
    found = await search([passage(ABOUT, number=n) for n in range(1, 6)], limit=2)
    assert len(found.passages) == 2


async def test_nothing_found_is_not_relevant() -> None:
    found = await search([])
    assert (found.relevant, found.relevance, found.passages) == (False, 0.0, [])


def test_the_name_of_a_file_counts_as_its_text() -> None:
    asked = terms("tower")
    assert relevance(passage("57 metres.", filename="tower.md"), asked) > relevance(
        passage("57 metres."), asked
    )


def test_a_question_without_terms_is_judged_by_similarity() -> None:
    assert relevance(passage("x", similarity=0.4), terms("?")) == pytest.approx(0.4)


PREVIOUS = "How do I install the server on Linux?"
LINUX = passage("Install the server on Linux with pip.", number=1, similarity=0.7)
WINDOWS = passage("On Windows the server runs in WSL.", number=2, similarity=0.5)


async def follow_up(question: str, alone: list[Passage], together: list[Passage]) -> Found:
    knowledge = cast(Any, FakeKnowledge(alone, Linux=together))
    return await retrieve(knowledge, ["vs_docs"], question, PREVIOUS, 4)


async def test_a_follow_up_finds_what_suits_both_questions() -> None:
    nearer = dataclasses.replace(WINDOWS, similarity=0.4)
    further = dataclasses.replace(LINUX, similarity=0.1)
    found = await follow_up("And for Windows?", [nearer, further], [LINUX, WINDOWS])
    assert found.query == f"{PREVIOUS}\nAnd for Windows?"
    assert found.passages[0].id == WINDOWS.id
    assert found.relevant


async def test_something_else_after_a_good_question_is_not_relevant_by_it() -> None:
    further = dataclasses.replace(LINUX, similarity=0.02)
    nearby = dataclasses.replace(LINUX, similarity=0.5)
    found = await follow_up("Is this good bread?", [further], [nearby])
    assert not found.relevant


async def test_a_clear_question_is_searched_once() -> None:
    question = "Does the server run on Windows, and is it safe?"
    found = await follow_up(question, [WINDOWS], [LINUX])
    assert (found.query, found.passages) == (question, [WINDOWS])


@pytest.mark.parametrize(
    ("question", "similarity", "leans"),
    [
        ("And for Windows?", 0.7, True),  # goes on
        ("How do I delete one?", 0.7, True),  # short, and refers to something
        ("Is it safe to install that as an administrator?", 0.1, True),  # refers, and finds little
        ("Is it safe to install that as an administrator?", 0.7, False),
        ("Security?", 0.1, True),  # short, and finds little
        ("What is an endpoint?", 0.7, False),
        ("Who pays for the electricity of the building?", 0.1, False),
    ],
)
async def test_what_leans_on_the_question_before(
    question: str, similarity: float, leans: bool
) -> None:
    found = await follow_up(question, [passage("Milk.", similarity=similarity)], [LINUX])
    assert found.follows_up is leans
