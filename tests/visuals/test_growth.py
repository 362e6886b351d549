"""The growth curves say what was measured, and what is computed from it."""

import pytest

from grader.visuals.growth import DEFAULT_LIMIT, growth
from grader.vocabulary import Observation, Run
from grader.vocabulary.drawn import Drawn


def run_of(calls: int, *, again: int = 0) -> Run:
    """Return a run of a loop whose n-th checkpoint takes n hundred bytes."""
    seen: list[Observation] = []

    def add(kind: str, **data: object) -> None:
        seen.append(Observation(len(seen) + 1, kind, 0, 0.0, data))

    add("call", function="research")
    for _ in range(calls):
        add("model", event="research")
    if again:
        add("call", function="resume")
    for _ in range(again):
        add("model", event="research")
    sizes = [100 * (n + 1) for n in range(calls + again)]
    add("stored", sizes_b={"thread": sizes})
    return Run("s", "a run", Drawn({}), tuple(seen))


def test_cost_is_calls_times_the_price() -> None:
    """the price is the learner's"""
    picture = growth(run_of(50), price=0.03)
    assert picture.curve[-1].calls == 50
    assert pytest.approx(picture.curve[-1].cost) == 1.5


def test_bytes_are_added_up() -> None:
    """the curve ends with the bytes of all checkpoints"""
    assert growth(run_of(50)).curve[-1].size_b == 100 * 50 * 51 / 2


def test_the_limit_is_computed_and_says_so() -> None:
    """a quadratic loop is carried on to LangGraph's own limit, and marked"""
    last = growth(run_of(50)).table[-1]
    assert last.calls == DEFAULT_LIMIT
    assert not last.measured
    expected = 100 * DEFAULT_LIMIT * (DEFAULT_LIMIT + 1) / 2
    assert expected == pytest.approx(last.size_b, rel=0.01)


def test_a_bounded_loop_is_not_carried_on() -> None:
    """three calls say nothing about ten thousand"""
    assert all(point.measured for point in growth(run_of(3)).table)


def test_a_retry_is_marked() -> None:
    """where a later function was called is in the picture"""
    picture = growth(run_of(50, again=52))
    assert picture.later == ((50, "resume"),)
    assert "resume" in picture.svg


def test_picture_table_and_alt_say_the_same() -> None:
    """alternative text and table have the last point of the curve"""
    picture = growth(run_of(50))
    for words in (picture.alt, picture.text, picture.html):
        assert "127.5 kB" in words
    assert "<svg" in picture.svg
    # Two dollar signs would be typeset as mathematics.
    assert "$" not in picture.html.replace(";base64,", "")


def test_nothing_stored_is_no_curve() -> None:
    """an empty run is an empty picture, and no error"""
    assert "no curve" in growth(Run("s", "a run", Drawn({}), ())).text


def test_a_negative_price_is_refused() -> None:
    """the price of a call is 0 or more"""
    with pytest.raises(ValueError, match="price"):
        growth(run_of(3), price=-1)
