"""Of two runs the worse one counts, and what the grader does not know is no zero."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grader import catalog
from grader.autograde import judging
from grader.autograde.judging import Judging, judge, outputs, points_of, why_unknown
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


def test_what_broke_is_raised_where_it_is_awaited() -> None:
    """a defect of ours in the background is not taken for a verdict"""
    with pytest.raises(LookupError, match="expected an exercise"):
        Judging("ex99_none", "").wait()


def kinds(shown: list[dict[str, Any]]) -> list[str]:
    """Return the type of each output."""
    return [each["output_type"] for each in shown]
