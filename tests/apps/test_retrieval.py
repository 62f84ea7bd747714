from __future__ import annotations

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
