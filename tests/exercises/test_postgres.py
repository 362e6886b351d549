"""An exercise judges the same on PostgreSQL as on SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import catalog
from grader.corpus import Specimen, specimens
from grader.reports import to_text
from grader.vocabulary import Status
from grader.vocabulary.exercise import POSTGRES
from tests.exercises.conftest import Judge
from tests.exercises.test_submissions import assert_caught

ROOT = Path(__file__).parents[2]
EX01 = "ex01_non_serializable_state"
EITHER = [
    one
    for stem in catalog.stems()
    for one in specimens(ROOT, stem)
    if catalog.load(stem).database != POSTGRES and "DATABASE_URL" in one.text
]


@pytest.mark.parametrize("one", EITHER, ids=lambda one: f"{one.stem}/{one.name}")
def test_a_submission_for_both_is_judged_the_same(judge: Judge, one: Specimen) -> None:
    """right ones get all points on PostgreSQL, wrong ones fail where they say"""
    verdict = judge(one.stem, one.text, database=POSTGRES)
    if one.right:
        assert verdict.passed, to_text(verdict)
    else:
        assert_caught(one, verdict)


def test_there_are_submissions_for_both() -> None:
    """at least two right ones and three wrong ones of different kinds"""
    wrong = {one.caught_by for one in EITHER if not one.right}
    assert sum(one.right for one in EITHER) >= 2
    assert len(wrong) >= 3


def test_the_file_does_not_count(judge: Judge) -> None:
    """a submission that keeps to SQLite's file is told where to write instead"""
    (file,) = (ROOT / "tests" / "submissions" / EX01).glob("right/closure.py")
    verdict = judge(EX01, file.read_text(), database=POSTGRES)
    failed = [r for r in verdict.results if r.status is Status.failed]
    assert [result.check for result in failed] == ["continues"]
    assert "`DATABASE_URL`" in failed[0].rationale + failed[0].help
