"""What is suggested for common errors, and what an exercise suggests before that."""

from __future__ import annotations

import re

import pytest

from grader import catalog
from grader.vocabulary.advice import ERRORS, advised


@pytest.mark.parametrize("stem", catalog.stems())
def test_no_exercise_repeats_common_advice(stem: str) -> None:
    """what is suggested for an error in general is written once, not in an exercise"""
    common = {help for _, help in ERRORS}
    assert not common & {help for _, help in catalog.load(stem).advice}


def test_the_first_match_wins_and_an_exercise_comes_first() -> None:
    """an exercise's own advice is given before the common one, in order"""
    text = "EmptyInputError: Received no input for __start__"
    assert advised(text).startswith("there was no checkpoint")
    assert advised(text, (("EmptyInput", "mine"), ("Empty", "later"))) == "mine"
    assert advised("all is well") == ""


def test_advice_asks_or_points_in_one_sentence_or_two() -> None:
    """every suggestion is short, and none is reached by the pattern of another"""
    for pattern, help in ERRORS:
        assert len(help.split()) <= 40
        assert re.compile(pattern)
    reached = [advised(re.sub(r"\|.*", "", p).replace("\\", "")) for p, _ in ERRORS]
    assert reached == [help for _, help in ERRORS]
