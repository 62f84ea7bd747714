from __future__ import annotations

import pytest

from headstart.apps.citations import NOT_FOUND, UNMATCHED, CitedText
from tests.apps.fakes import passage

TEXTS = [
    "Paris is the capital of France. It lies on the Seine.",
    "Berlin is the capital of Germany. It has 3.8 million inhabitants.",
    "Install the server with pip. Then run `headstart up` in your folder.",
]


def cited(answer: str, *, size: int = 0, question: str = "") -> CitedText:
    """The answer fed in pieces of `size` characters (0: at once); its text is in `.shown`."""
    text = CitedText([passage(t, number=n) for n, t in enumerate(TEXTS, 1)], question)
    pieces = [answer[i : i + size] for i in range(0, len(answer), size)] if size else [answer]
    shown = "".join([*(text.feed(piece) for piece in pieces), text.finish()])
    for citation in text.citations:
        assert shown[citation.start : citation.end] == f"[{citation.number}]"
    text.shown = shown  # type: ignore[attr-defined]
    return text


def shown(answer: str, *, size: int = 0, question: str = "") -> str:
    """The text without the warning that nothing was cited."""
    text = str(cited(answer, size=size, question=question).shown)  # type: ignore[attr-defined]
    return text.removesuffix(f"\n\n{UNMATCHED}")


CASES = {
    # what the model cited, and rightly
    "Paris is the capital of France [1].": "Paris is the capital of France [1].",
    "Paris is the capital of France[1].": "Paris is the capital of France[1].",
    "Paris is the capital of France. [1] It is large.": (
        "Paris is the capital of France. [1] It is large."
    ),
    "Paris is the capital of France [Passage 1].": "Paris is the capital of France [1].",
    "Paris is the capital of France [1][1].": "Paris is the capital of France [1].",
    "France has the capital Paris, Germany the capital Berlin [1, 2].": (
        "France has the capital Paris, Germany the capital Berlin [1][2]."
    ),
    # numbers that no passage has, and citations of nothing
    "Rome is in Italy [7].": "Rome is in Italy.",
    "Rome is in Italy [0]": "Rome is in Italy",
    "Rome is in Italy. [7] And so on.": "Rome is in Italy. And so on.",
    "[1] [2]": "",
    # a passage that says something else
    "Bananas grow on large plants there [1].": "Bananas grow on large plants there.",
    # forgotten ones
    "Paris is the capital of France.": "Paris is the capital of France [1].",
    "Paris is the capital of France and ": "Paris is the capital of France and [1]",
    "Paris is the capital of France. Berlin is the capital of Germany.": (
        "Paris is the capital of France [1]. Berlin is the capital of Germany [2]."
    ),
    "- Paris is the capital of France\n- Berlin is the capital of Germany\n": (
        "- Paris is the capital of France [1]\n- Berlin is the capital of Germany [2]\n"
    ),
    "Berlin has 3.8 million inhabitants.": "Berlin has 3.8 million inhabitants [2].",
    "Install it with `pip`, then run `headstart up` in your folder!": (
        "Install it with `pip`, then run `headstart up` in your folder [3]!"
    ),
    "You can use the `headstart up` command in that place.": (
        "You can use the `headstart up` command in that place [3]."
    ),
    "You can use the `headstart down` command in that place.": (
        "You can use the `headstart down` command in that place."
    ),
    "Install the server with `pipx` in your folder.": (
        "Install the server with `pipx` in your folder."
    ),
    # a number that the passage does not have is not backed
    "Berlin has 4.1 million inhabitants.": "Berlin has 4.1 million inhabitants.",
    # tables and code are cited below
    "| city | is |\n|---|---|\n| Paris | capital of France |\n\nSo it is.": (
        "| city | is |\n|---|---|\n| Paris | capital of France |\n\n[1]\n\nSo it is."
    ),
    "| Paris | capital of France |": "| Paris | capital of France |\n\n[1]",
    "| Paris. | The capital. Of France. |": "| Paris. | The capital. Of France. |\n\n[1]",
    "| Paris | capital of Germany |\nSo": "| Paris | capital of Germany |\nSo",
    "Run:\n```bash\npip install server\nheadstart up\n```\nDone.": (
        "Run:\n```bash\npip install server\nheadstart up\n```\n[3]\nDone."
    ),
    "1. Run:\n   ```\n   pip install server\n   ```": (
        "1. Run:\n   ```\n   pip install server\n   ```\n   [3]"
    ),
    # not sentences of prose
    "# Paris, capital of France\n": "# Paris, capital of France\n",
    "Paris, capital of France:\n": "Paris, capital of France:\n",
    "```python\nx = a[1] + b[7]  # something else.\n```\nDone.": (
        "```python\nx = a[1] + b[7]  # something else.\n```\nDone."
    ),
    "Is Paris the capital of France?": "Is Paris the capital of France?",
    "Use `a[1]` here.": "Use `a[1]` here.",
    # brackets that are no citations
    "See [the manual] and [x].": "See [the manual] and [x].",
    "A lone [ and [12": "A lone [ and [12",
    NOT_FOUND: NOT_FOUND,
    # abbreviations do not end a sentence
    "Paris, e.g. the capital of France, is on the Seine.": (
        "Paris, e.g. the capital of France, is on the Seine [1]."
    ),
}


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5])
@pytest.mark.parametrize(("answer", "expected"), CASES.items())
def test_text_is_the_same_however_it_is_cut(answer: str, expected: str, size: int) -> None:
    assert shown(answer, size=size) == expected


def test_no_more_is_held_back_than_what_may_become_a_citation() -> None:
    text = CitedText([passage(TEXTS[0])], "")
    assert text.feed("Paris is") == "Paris is"
    assert text.feed(" the capital") == " the capital"
    assert text.feed(" [") == ""
    assert text.feed("1") == ""
    assert text.feed("]") == " [1]"
    assert text.feed(" of [x") == " of [x"
    assert text.feed("] France.") == "] France"
    assert text.feed(" It") == ". It"


@pytest.mark.parametrize("answer", ["Rome is in Italy.", "```\nrm -rf home\n```", "Rome [7]"])
def test_an_answer_that_nothing_backs_says_so(answer: str) -> None:
    text = str(cited(answer).shown)  # type: ignore[attr-defined]
    assert text.endswith(f"\n\n{UNMATCHED}")


@pytest.mark.parametrize(
    "answer", [NOT_FOUND, "Paris is the capital of France. Rome is nice.", "", "Which city?", "42:"]
)
def test_other_answers_carry_no_warning(answer: str) -> None:
    assert UNMATCHED not in str(cited(answer).shown)  # type: ignore[attr-defined]


def test_a_short_answer_is_cited_where_the_question_is_answered() -> None:
    question = "How many million inhabitants does Berlin have?"
    assert shown("3.8", question=question) == "3.8 [2]"
    assert shown("3.8", question="How tall is the tower?") == "3.8"


def test_words_of_the_question_alone_back_nothing() -> None:
    question = "Which river does Paris, the capital of France, lie on?"
    answer = "Paris, the capital of France, lies on the Rhone."
    assert shown(answer, question=question) == answer


def test_a_quote_is_the_sentence_that_backs() -> None:
    text = cited("It lies on the Seine.")
    [citation] = text.citations
    span = citation.quote
    assert TEXTS[0][span.start : span.end] == "It lies on the Seine."


def test_two_sentences_are_quoted_when_both_are_needed() -> None:
    text = cited("Paris, the capital of France, lies on the Seine.")
    [citation] = text.citations
    assert TEXTS[0][citation.quote.start : citation.quote.end] == TEXTS[0]


def test_offsets_count_characters_beyond_the_basic_plane() -> None:
    text = cited("🗼 Paris is the capital of France. 🥨 Berlin is the capital of Germany.")
    assert [citation.number for citation in text.citations] == [1, 2]


def test_scripts_without_spaces_are_cited_too() -> None:
    text = CitedText([passage("巴黎是法国的首都。它位于塞纳河畔。")], "")
    assert text.feed("法国的首都是巴黎。") + text.finish() == "法国的首都是巴黎 [1]。"


def test_a_hostile_answer_costs_little() -> None:
    answer = "[" * 20_000 + "." * 20_000 + " " * 20_000 + "`" * 3
    text = CitedText([passage(TEXTS[0])], "")
    shown = "".join(text.feed(answer[i : i + 7]) for i in range(0, len(answer), 7))
    assert shown + text.finish() == answer  # brackets claim nothing
