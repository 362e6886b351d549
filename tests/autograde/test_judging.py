"""Of two runs the worse one counts, and what the grader does not know is no zero."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader import catalog
from grader.autograde import judging
from grader.autograde.judging import Judging, judge, outputs, points_of, why_unknown
from grader.autograde.scores import JUDGING, SCORES, ShowVerdict
from grader.vocabulary import Result, Status, Verdict

STEM = "ex00_start_here"
PASSED, FAILED, ERROR = Status.passed, Status.failed, Status.error


def verdict(*statuses: Status) -> Verdict:
    """Return a verdict with these statuses, one for each check."""
    checks = catalog.load(STEM).checks.values()
    results = [
        Result(c.name, c.claim, s, c.points if s is PASSED else 0.0, c.points, "seen")
        for c, s in zip(checks, statuses, strict=True)
    ]
    return Verdict(STEM, "title", 1, 0, tuple(results))


@pytest.mark.parametrize(
    ("first", "second", "worst"),
    [
        (PASSED, PASSED, PASSED),
        (PASSED, FAILED, FAILED),
        (FAILED, PASSED, FAILED),
        (PASSED, ERROR, ERROR),
        (ERROR, FAILED, ERROR),
    ],
)
def test_the_worst_run_counts(
    monkeypatch: pytest.MonkeyPatch, first: Status, second: Status, worst: Status
) -> None:
    """each check has its worst result of both runs, and unknown is the worst of all"""
    runs = iter([verdict(first, PASSED), verdict(second, PASSED)])
    monkeypatch.setattr(judging, "asked", lambda *_: (next(runs), None))
    found = judge(STEM, "")
    assert [judged.result.status for judged in found.values()] == [worst, PASSED]


def test_an_error_is_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """a check that the grader could not judge shows the reason, and no number"""
    broken = verdict(ERROR, PASSED)
    reason = "Traceback:\nOSError: no <port> was free"
    first = replace(broken.results[0], rationale=reason)
    broken = replace(broken, results=(first, broken.results[1]))
    monkeypatch.setattr(judging, "asked", lambda *_: (broken, None))
    unknown, known = judge(STEM, "").values()
    why = why_unknown(unknown, "", "counts_on")
    assert why == "OSError: no <port> was free"
    assert kinds(outputs(unknown, why, 0.0)) == ["display_data", "display_data"]
    assert "no &lt;port&gt; was free" in str(outputs(unknown, why, 0.0))
    assert why_unknown(known, "", "never_twice") == ""
    assert kinds(outputs(known, "", 4.0)) == ["display_data", "execute_result"]
    assert points_of(known, 2.0) == 2.0


@pytest.mark.parametrize(
    ("tier", "accepted", "known"),
    [
        ("isolated", 1, True),
        ("reduced", 1, False),
        ("reduced", 2, True),
        ("not isolated", 2, False),
        ("not isolated", 3, True),
        ("another", 3, False),
    ],
)
def test_a_weaker_tier(
    monkeypatch: pytest.MonkeyPatch, tier: str, accepted: int, known: bool
) -> None:
    """what was judged in less isolation than is accepted is no score"""
    weak = replace(verdict(PASSED, PASSED), tier=tier)
    monkeypatch.setattr(judging, "asked", lambda *_: (weak, None))
    found = judge(STEM, "")["counts_on"]
    why = why_unknown(found, "", "counts_on", accepted)
    assert (why == "") == known
    assert known or f"(tier {accepted}), found one where they are {tier}" in why


def test_a_weaker_tier_is_recorded_as_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """a graded cell of a notebook has no score where its tier is not accepted"""
    weak = replace(verdict(PASSED, PASSED), tier="reduced")
    monkeypatch.setattr(judging, "asked", lambda *_: (weak, None))
    for accepted, scores in ((1, {"counts_on": None}), (2, {"counts_on": 6.0})):
        about = {"grade": True, "solution": False, "grade_id": "counts_on", "points": 6}
        cell = new_code_cell("grade()", metadata={"nbgrader": about})  # type: ignore
        nb = new_notebook(cells=[cell], metadata={"grader": {"accepted": accepted}})  # type: ignore
        resources: dict[str, Any] = {"nbgrader": {JUDGING: Judging(STEM, "")}}
        ShowVerdict().preprocess(nb, resources)
        assert resources["nbgrader"][SCORES] == scores


def test_what_broke_is_raised_where_it_is_awaited() -> None:
    """a defect of ours in the background is not taken for a verdict"""
    with pytest.raises(LookupError, match="expected an exercise"):
        Judging("ex99_none", "").wait()


def kinds(shown: list[dict[str, Any]]) -> list[str]:
    """Return the type of each output."""
    return [each["output_type"] for each in shown]
