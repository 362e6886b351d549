"""The trusted verdict on a submission's text, and what a graded cell shows of it.

Autograde and Validate both come here, so they cannot disagree.
"""

from __future__ import annotations

import html
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from grader import catalog
from grader.autograde.kept import Kept
from grader.harness.tiers import NAMES, NOT_ISOLATED
from grader.reports import Report
from grader.session import asked
from grader.visuals.timeline import of_failures
from grader.vocabulary import History, Result, Status, Verdict
from grader.vocabulary.verdict import RUNS

Output = dict[str, Any]
kept = Kept()


@dataclass(frozen=True, slots=True)
class Judged:
    """How one check ended in its worst run."""

    result: Result
    verdict: Verdict
    history: History | None

    def report(self) -> Report:
        """Return what the run says about this check alone."""
        alone = replace(self.verdict, results=(self.result,))
        return Report(alone, of_failures(alone, self.history))


def judge(stem: str, text: str) -> Mapping[str, Judged]:
    """Judge a submission in processes of its own, and return the worst of each check.

    The harness is opened for this one submission, so that no author shares one with
    another.

    Args:
        stem: of the exercise.
        text: the submission's source.
    """
    with kept.fresh() as client:
        runs = [asked(client, stem, text, None, processes) for processes in RUNS]
    found = {}
    for check in catalog.load(stem).checks:
        ended = [(verdict.result(check), verdict, seen) for verdict, seen in runs]
        found[check] = Judged(*min(ended, key=lambda each: each[0].worth))
    return found


class Judging:
    """A judgement under way beside the kernel, which needs none of it."""

    def __init__(self, stem: str, text: str) -> None:
        self._asked = (stem, text)
        self._found: Mapping[str, Judged] = {}
        self._raised: BaseException | None = None
        # A daemon, so that Ctrl-C need not wait: without us the harness ends too.
        self._thread = threading.Thread(target=self._judge, daemon=True)
        self._thread.start()

    def _judge(self) -> None:
        try:
            self._found = judge(*self._asked)
        except BaseException as raised:
            self._raised = raised

    def wait(self) -> Mapping[str, Judged]:
        """Return what was found, or raise what it raised."""
        self._thread.join()
        if self._raised is not None:
            raise self._raised
        return self._found

    def __deepcopy__(self, memo: object) -> Judging:
        return self  # nbconvert copies what steps hand on


def why_unknown(
    judged: Judged | None, problem: str, name: str, accepted: int = NOT_ISOLATED
) -> str:
    """Return why nobody could judge a check, or "" where it has a result.

    A result from a weaker tier than the `accepted` one is none: a submission may have
    reached what its verdict was made by.
    """
    if problem:
        return problem
    if judged is None:
        return f"this course has no check {name}"
    if judged.result.status is Status.error:
        lines = judged.result.rationale.strip().splitlines()
        return lines[-1] if lines else "the grader broke"
    found = judged.verdict.tier
    if found not in {NAMES[tier] for tier in NAMES if tier <= accepted}:
        return (
            f"expected a machine that isolates submissions (tier {accepted}), found "
            f"one where they are {found}: an attack from inside has succeeded"
        )
    return ""


def outputs(judged: Judged | None, reason: str, points: float) -> list[Output]:
    """Return what a graded cell shows: the report, and the points as its value."""
    shown = [] if judged is None else [_display(judged.report())]
    if reason:
        note = f"This check could not be judged: {reason}. A person will grade it."
        marked = f"<p><strong>{html.escape(note)}</strong></p>"
        return [_output({"text/plain": note, "text/html": marked}), *shown]
    number = {"text/plain": repr(points)}
    result = {"output_type": "execute_result", "data": number, "metadata": {}}
    return [*shown, {**result, "execution_count": None}]


def points_of(judged: Judged, worth: float) -> float:
    """Return a result's share of what a cell is worth in the gradebook."""
    result = judged.result
    return worth * result.score / result.points if result.points else 0.0


def _display(report: Report) -> Output:
    bundle = report._repr_mimebundle_()
    return _output({k: v for k, v in bundle.items() if k.startswith("text/")})


def _output(data: dict[str, Any]) -> Output:
    return {"output_type": "display_data", "data": data, "metadata": {}}
