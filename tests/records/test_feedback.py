"""Feedback: checked, replaced, undone."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import REGISTRY

from headstart.errors import BadRequest, NotFound
from headstart.records.feedback import MAX_TEXT, FeedbackStore
from headstart.storage.database import Database
from tests.records.samples import ADMIN, ANNA, BERT, row


@pytest.fixture
def feedback(database: Database) -> FeedbackStore:
    with database.session() as session:
        session.add_all(
            [
                row("a", "question"),
                row("b", "question"),
                row("c", "question"),
                row("again", "rephrased", alternative_to="a"),
                row("other", "another question"),
                row("embedded", "question", kind="embedding", request={"input": "question"}),
                row("p1", kind="completion", request={"prompt": "Once"}),
                row("p2", kind="completion", request={"prompt": "Once"}),
                row("p3", kind="completion", request={"prompt": "Twice"}),
                row("berts", "question", key_id=BERT.key_id),
            ]
        )
    return FeedbackStore(database)


def values(feedback: FeedbackStore, record: str = "a") -> list[tuple[str, Any]]:
    return [(row.metric, row.value["value"]) for row in feedback.list(record, ADMIN)]


@pytest.mark.parametrize(
    ("metric", "given", "kept"),
    [
        ("thumbs", True, True),
        ("thumbs", "up", True),
        ("thumbs", False, False),
        ("thumbs", "down", False),
        ("rating", 1, 1),
        ("rating", 4.5, 4.5),
        ("rating", 5, 5),
        ("comment", "Nearly.", "Nearly."),
        ("comment", "x" * MAX_TEXT, "x" * MAX_TEXT),
        ("correction", "It is 42.\n", "It is 42.\n"),
        ("preference", {"over": "b"}, {"over": "b"}),
    ],
)
def test_what_can_be_said(feedback: FeedbackStore, metric: str, given: Any, kept: Any) -> None:
    row = feedback.add("a", metric, given, ANNA)
    assert row.id.startswith("fb_")
    assert row.key_id == ANNA.key_id
    assert values(feedback) == [(metric, kept)]


@pytest.mark.parametrize(
    ("metric", "given", "message"),
    [
        ("thumbs", 1, 'true or "up"'),
        ("thumbs", "UP", 'true or "up"'),
        ("thumbs", None, 'true or "up"'),
        ("rating", True, "from 1 to 5"),
        ("rating", 0, "from 1 to 5"),
        ("rating", 5.01, "from 1 to 5"),
        ("rating", float("nan"), "from 1 to 5"),
        ("rating", 10**400, "from 1 to 5"),
        ("rating", "5", "from 1 to 5"),
        ("comment", "", "not empty"),
        ("comment", " \n", "not empty"),
        ("comment", 3, "not empty"),
        ("correction", "x" * (MAX_TEXT + 1), f"{MAX_TEXT + 1} characters"),
        ("preference", "b", "the other record"),
        ("preference", {"over": 1}, "the other record"),
        ("preference", {"over": "b", "by": 2}, "the other record"),
        ("preference", {}, "the other record"),
        ("preference", {"over": "a"}, "better than itself"),
        ("preference", {"over": "other"}, "answers another question"),
        ("preference", {"over": "embedded"}, "answers another question"),
        ("stars", 5, "none of thumbs, rating, comment, correction, preference"),
    ],
)
def test_what_cannot_be_said(
    feedback: FeedbackStore, metric: str, given: Any, message: str
) -> None:
    with pytest.raises(BadRequest, match=message) as caught:
        feedback.add("a", metric, given, ANNA)
    assert caught.value.param is not None
    assert str(caught.value).startswith(caught.value.param)
    assert values(feedback) == []


@pytest.mark.parametrize(("record", "over"), [("a", "again"), ("again", "a"), ("p1", "p2")])
def test_answers_to_the_same_can_be_compared(
    feedback: FeedbackStore, record: str, over: str
) -> None:
    feedback.add(record, "preference", {"over": over}, ANNA)
    assert values(feedback, record) == [("preference", {"over": over})]


def test_completions_of_different_prompts_cannot(feedback: FeedbackStore) -> None:
    with pytest.raises(BadRequest, match="answers another question"):
        feedback.add("p1", "preference", {"over": "p3"}, ANNA)


@pytest.mark.parametrize(
    ("record", "value", "param"),
    [
        ("none", {"over": "a"}, "record_id"),
        ("berts", {"over": "a"}, "record_id"),
        ("a", {"over": "none"}, "value.over"),
        ("a", {"over": "berts"}, "value.over"),
    ],
)
def test_records_that_are_not_there_or_not_ones_own(
    feedback: FeedbackStore, record: str, value: Any, param: str
) -> None:
    with pytest.raises(NotFound) as caught:
        feedback.add(record, "preference", value, ANNA)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("metric", "first", "second"),
    [("thumbs", True, False), ("rating", 1, 5), ("correction", "one", "two")],
)
def test_the_newest_replaces_ones_own_older(
    feedback: FeedbackStore, metric: str, first: Any, second: Any
) -> None:
    feedback.add("a", metric, first, ANNA)
    feedback.add("a", metric, first, ADMIN)
    feedback.add("b", metric, first, ANNA)
    feedback.add("a", metric, second, ANNA)
    assert values(feedback) == [(metric, first), (metric, second)]
    assert values(feedback, "b") == [(metric, first)]


def test_comments_accumulate(feedback: FeedbackStore) -> None:
    for text in ("one", "two", "one"):
        feedback.add("a", "comment", text, ANNA)
    assert values(feedback) == [("comment", "one"), ("comment", "two"), ("comment", "one")]


def test_a_preference_can_be_turned_around(feedback: FeedbackStore) -> None:
    feedback.add("a", "preference", {"over": "b"}, ANNA)
    feedback.add("a", "preference", {"over": "c"}, ANNA)
    feedback.add("b", "preference", {"over": "a"}, ANNA)
    assert values(feedback, "a") == [("preference", {"over": "c"})]
    assert values(feedback, "b") == [("preference", {"over": "a"})]


def test_undo(feedback: FeedbackStore) -> None:
    mine = feedback.add("a", "thumbs", True, ANNA)
    with pytest.raises(NotFound):
        feedback.delete(mine.id, BERT)
    feedback.delete(mine.id, ANNA)
    assert values(feedback) == []
    with pytest.raises(NotFound):
        feedback.delete(mine.id, ANNA)
    other = feedback.add("a", "thumbs", True, ANNA)
    feedback.delete(other.id, ADMIN)
    assert values(feedback) == []


def test_listing_needs_the_record(feedback: FeedbackStore) -> None:
    with pytest.raises(NotFound):
        feedback.list("berts", ANNA)


def test_feedback_is_counted(feedback: FeedbackStore) -> None:
    def count() -> float:
        return REGISTRY.get_sample_value("headstart_feedback_total", {"metric": "thumbs"}) or 0

    before = count()
    feedback.add("a", "thumbs", True, ANNA)
    assert count() == before + 1
