"""The game day is judged the same without nginx as with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.corpus import Specimen, specimens
from grader.harness import nginx
from grader.reports import to_text
from tests.exercises.conftest import Judge
from tests.exercises.test_submissions import assert_caught

ROOT, STEM = Path(__file__).parents[2], "ex10_on_call"
NAMES = {"solution", "fresh_key", "one_at_a_time"}
CHOSEN = [one for one in specimens(ROOT, STEM) if one.path.stem in NAMES]


@pytest.mark.parametrize("one", CHOSEN, ids=lambda one: one.name)
def test_a_submission_is_judged_the_same_without(
    judge: Judge, one: Specimen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """where there is no nginx, requests go straight, and the verdict is the one that
    the corpus promises, which all are judged by with it"""
    gone = nginx.Program(problem="there is none in this test")
    monkeypatch.setattr(nginx, "look", lambda: gone)
    verdict = judge(STEM, one.text)
    if one.right:
        assert verdict.passed, to_text(verdict)
    else:
        assert_caught(one, verdict)
