from __future__ import annotations

import pytest

from headstart.apps.overlap import Passages, sentences, terms

TEXT = """## Install the server

Run `make up` in the folder of the clone. It takes two minutes, or 90 s the second time.

- The console opens by itself.
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The towers were located", {"tower", "locate"}),
        ("30m at 3.8% in 2016", {"30", "3.8", "2016"}),
        ("It is what they said", {"said"}),
        ("", set()),
        ("法国的首都", {"法国", "国的", "的首", "首都"}),
    ],
)
def test_terms(text: str, expected: set[str]) -> None:
    assert terms(text) == expected


def test_sentences_are_spans_of_the_text() -> None:
    spans = [TEXT[span.start : span.end] for span in sentences(TEXT)]
    assert spans == [
        "## Install the server",
        "Run `make up` in the folder of the clone.",
        "It takes two minutes, or 90 s the second time.",
        "- The console opens by itself.",
    ]


def test_a_sentence_is_backed_by_the_words_it_adds() -> None:
    passages = Passages([TEXT])
    backing = passages.backing(0, "It takes 90 s the second time.", "How long does it take?")
    assert (backing.strong, backing.share) == (True, 1.0)
    assert TEXT[backing.span.start : backing.span.end].startswith("It takes two minutes")


def test_other_numbers_are_not_backed() -> None:
    passages = Passages([TEXT])
    backing = passages.backing(0, "It takes 95 s the second time.", "How long does it take?")
    assert (backing.strong, backing.plausible) == (False, True)


def test_a_heading_is_quoted_with_what_follows_it() -> None:
    span = Passages([TEXT]).backing(0, "Install the server.", "").span
    assert TEXT[span.start : span.end].endswith("of the clone.")


def test_a_text_that_is_only_a_heading_is_quoted() -> None:
    span = Passages(["# Only this"]).backing(0, "Only this.", "").span
    assert span.end == len("# Only this")


def test_the_best_of_several_texts_wins_and_the_first_of_equals() -> None:
    passages = Passages(["Milk is white.", TEXT, TEXT])
    assert passages.best("The console opens by itself.", "") == 1
    assert passages.best("Bread is brown, crusty, warm.", "") is None


def test_nothing_backs_nothing() -> None:
    assert Passages([]).best("Anything.", "") is None
    assert Passages([""]).best("Anything.", "") is None
    assert not Passages([TEXT]).backing(0, "It is.", "").strong
