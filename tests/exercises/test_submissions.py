"""Every exercise accepts right submissions, and each check catches wrong ones."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from grader import catalog
from grader.corpus import Specimen, specimens
from grader.reports import to_text
from grader.sources import generated
from grader.validity import IMPORT
from grader.vocabulary import Result, Status, Verdict
from tests.exercises.conftest import Judge

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(path.stem for path in ROOT.glob("notebooks/*/ex*.ipynb"))
CORPUS = [one for stem in catalog.stems() for one in specimens(ROOT, stem)]
RIGHT = [one for one in CORPUS if one.right]
WRONG = [one for one in CORPUS if not one.right]
TELLING = [
    one for one in WRONG if len(one.caught_by) == 1 and one.caught_by != (IMPORT,)
]
# For each check one that only it catches; and for each exercise one of these.
ONE_EACH = [*{(one.stem, one.caught_by): one for one in TELLING}.values()]
ONE = [*{one.stem: one for one in ONE_EACH}.values()]


def names(corpus: list[Specimen]) -> list[str]:
    return [f"{one.stem}/{one.name}" for one in corpus]


@pytest.mark.parametrize("processes", [0, 4])
@pytest.mark.parametrize("right", RIGHT, ids=names(RIGHT))
def test_a_right_submission_scores_full_marks(
    judge: Judge, right: Specimen, processes: int
) -> None:
    """all points, in as many processes as needed and in four"""
    verdict = judge(right.stem, right.text, processes=processes)
    assert verdict.passed, to_text(verdict)
    assert verdict.score == verdict.points


@pytest.mark.parametrize("wrong", WRONG, ids=names(WRONG))
def test_a_wrong_submission_fails_the_checks_it_names(
    judge: Judge, wrong: Specimen
) -> None:
    """exactly those checks fail; the others pass, or wait for one that failed"""
    assert_caught(wrong, judge(wrong.stem, wrong.text))


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_a_starter_fails_and_its_solution_passes(judge: Judge, stem: str) -> None:
    """no exercise is solved as shipped, and each can be solved as its notebook does"""
    folder = ROOT / "notebooks" / stem
    starter = judge(stem, (folder / "starter.py").read_text(encoding="utf-8"))
    assert not starter.passed, to_text(starter)
    assert not starter.unknown, to_text(starter)
    assert not starter.problem, "expected a starter that can be run"
    solution = judge(stem, solution_of(stem))
    assert solution.passed, to_text(solution)


@pytest.mark.parametrize("wrong", ONE_EACH, ids=names(ONE_EACH))
def test_the_same_seed_gives_the_same_verdict(judge: Judge, wrong: Specimen) -> None:
    """four shuffled processes: the same checks catch it; a replay gives its scores"""
    how = {"seed": random.Random(wrong.name).randrange(1_000_000), "processes": 4}
    first = judge(wrong.stem, wrong.text, **how)
    assert_caught(wrong, first)
    if wrong in ONE:
        assert repeatable(judge(wrong.stem, wrong.text, **how)) == repeatable(first)


@pytest.mark.parametrize("stem", catalog.stems())
def test_a_corpus_is_large_enough(stem: str) -> None:
    """at least five right and ten wrong submissions"""
    assert sum(one.stem == stem for one in RIGHT) >= 5
    assert sum(one.stem == stem for one in WRONG) >= 10


@pytest.mark.parametrize("stem", catalog.stems())
def test_each_check_is_needed(stem: str) -> None:
    """for every check there is a wrong submission that no other check catches"""
    alone = {one.caught_by[0] for one in TELLING if one.stem == stem}
    assert alone == {*catalog.load(stem).checks}


@pytest.mark.parametrize("stem", catalog.stems())
def test_points_sum_to_ten(stem: str) -> None:
    """every exercise is worth ten points, and no check is worth nothing"""
    exercise = catalog.load(stem)
    assert exercise.points == 10
    assert all(check.points > 0 for check in exercise.checks.values())


@pytest.mark.parametrize("stem", catalog.stems())
def test_a_claim_is_one_plain_line(stem: str) -> None:
    """lower case at its start, one line, no full stop, and no two alike"""
    claims = [check.claim for check in catalog.load(stem).checks.values()]
    for check in catalog.load(stem).checks.values():
        written = check.judge.__doc__ or ""
        assert written == check.claim, "expected one line"
        assert not check.claim[0].isupper()
        assert not check.claim.endswith(".")
    assert len({*claims}) == len(claims)


@pytest.mark.parametrize("stem", catalog.stems())
def test_hints_are_a_short_ladder(stem: str) -> None:
    """at least three hints of at most 80 words, the first one a question"""
    hints = catalog.load(stem).hints
    assert len(hints) >= 3
    assert all(len(hint.split()) <= 80 for hint in hints)
    assert "?" in hints[0]


def assert_caught(wrong: Specimen, verdict: Verdict) -> None:
    """Compare a verdict with what the submission's docstring says of it."""
    assert not verdict.unknown, to_text(verdict)
    if wrong.caught_by == (IMPORT,):
        assert verdict.problem
        assert all(result.status is Status.skipped for result in verdict.results)
        return
    failed = [r.check for r in verdict.results if r.status is Status.failed]
    assert failed == [*wrong.caught_by], to_text(verdict)
    checks = catalog.load(wrong.stem).checks
    for result in verdict.results:
        if result.status is Status.skipped:
            needed = {need.name for need in checks[result.check].needs}
            unmet = {r.check for r in verdict.results if r.status is not Status.passed}
            assert needed & unmet, to_text(verdict)


def repeatable(verdict: Verdict) -> list[Result]:
    """Return the results without the words about a course of events.

    Where calls are made at once, or a library writes in the background, two runs of
    one seed may take turns otherwise, and so quote other observations.
    """
    words = {"numbers": (), "evidence": (), "rationale": "", "help": ""}
    return [replace(result, scenario="", **words) for result in verdict.results]


def solution_of(stem: str) -> str:
    """Return the submission of a notebook's source, solution included."""
    made = generated(ROOT / "solutions" / stem)[f"{stem}.ipynb"]
    cells = {cell["id"]: cell["source"] for cell in json.loads(made)["cells"]}
    _magic, _, text = "".join(cells["submission"]).partition("\n")
    return text
