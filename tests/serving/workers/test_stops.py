from __future__ import annotations

import random

import pytest

from headstart.serving.workers.stops import StopStrings


def shown(stops: list[str], pieces: list[str]) -> str:
    strings = StopStrings(stops)
    text = ""
    for piece in pieces:
        text += strings.feed(piece)
        if strings.met:
            return text
    return text + strings.flush()


def test_the_stop_string_is_left_out() -> None:
    assert shown(["END"], ["one E", "ND two"]) == "one "


def test_what_only_begins_like_one_is_shown_in_the_end() -> None:
    strings = StopStrings(["END"])
    assert strings.feed("one EN") == "one "
    assert strings.feed("Ough") == "ENOugh"
    assert strings.feed(" E") == " "
    assert strings.flush() == "E"
    assert not strings.met


def test_the_first_of_several_counts() -> None:
    assert shown(["b", "abc"], ["xabcb"]) == "x"
    assert shown(["cd", "b"], ["abcd"]) == "a"


def test_a_stop_that_overlaps_itself() -> None:
    assert shown(["aab"], ["aa", "aab"]) == "aa"


@pytest.mark.parametrize("seed", range(50))
def test_however_the_text_is_cut_the_result_is_the_same(seed: int) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choice("ab\n") for _ in range(60))
    stops = ["".join(chance.choice("ab\n") for _ in range(chance.randint(1, 5))) for _ in range(2)]
    cuts = sorted(chance.sample(range(1, 60), 10))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, 60], strict=True)]
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    assert shown(stops, pieces) == text[: min(found, default=60)]
