"""Failures are counted by what they have in common, and the counts are drawn."""

from __future__ import annotations

from grader import catalog
from grader.batch.pages import PARTS
from grader.batch.tally import general, tally
from grader.visuals import style
from grader.visuals.bars import Bars
from grader.vocabulary import draw
from tests.batch.classroom import OTHER
from tests.batch.graded_class import failed, one


def test_misses_are_grouped() -> None:
    """failures that differ in what the seed drew, or in numbers, are one near miss"""
    exercise = catalog.load(OTHER)
    scenario = next(iter(exercise.checks.values())).scenarios[0]
    said = []
    for seed in (1, 2):
        value = next(iter(draw(exercise.scenarios[scenario], seed).values.values()))
        result = failed(f"{value} was told {seed} times by process 1").results[0]
        said.append(general(exercise, result, seed))
    assert said[0] == said[1]
    assert said[0].endswith("was told … times by process 1")


def test_many_different_misses() -> None:
    """a class whose failures are all different costs bounded memory"""
    many = 400
    stream = (
        (
            one(f"a{n}", str(n), OTHER),
            failed(f"{n:b}".replace("0", "a").replace("1", "b")),
        )
        for n in range(many)
    )
    (found,) = tally(stream)
    assert found.judged == many
    assert len(found.misses) + found.more == many
    assert len(found.misses) <= 300


def test_bars() -> None:
    """the picture of a count says the same in its text and its table"""
    shown = Bars(
        "claim", "Caption", PARTS, (("a <claim>", {"passed": 3, "failed": 1}),)
    )
    assert shown.alt == "Bars. a <claim>: 3 passed, 1 failed."
    assert "a &lt;claim&gt;" in shown.html
    assert '<td class="number">3</td><td class="number">1</td>' in shown.html
    assert "✓ 3 passed" in shown.svg
    assert "skipped" not in shown.html
    for part in PARTS:
        assert style.contrast(part.color, style.TINTS[part.color]) >= 3
        assert style.contrast(style.INK, style.TINTS[part.color]) >= 4.5
