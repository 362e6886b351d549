"""Counts what a class has shown: how each claim fared, and which misses are common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from grader import catalog
from grader.batch.submitted import Submitted
from grader.vocabulary import Exercise, Result, Status, Verdict, draw

# Different misses that are told apart for an exercise. What a hostile class raises
# is without end, and a page is not.
MISSES_LIMIT = 300
RATIONALE_LIMIT = 300
COUNTED = re.compile(r"(?<![\w.-])(?<!process )\d+(?:\.\d+)?\b")  # not "process 1"
RUNS = "runs"  # stands for a check where the submission could not be run at all


@dataclass(slots=True)
class Claim:
    """One claim of an exercise, and how many submissions kept it."""

    check: str
    text: str
    counts: Counter[Status] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        """How many submissions did not keep it."""
        return self.counts[Status.failed]


@dataclass(slots=True)
class Miss:
    """One way to fail a claim: its rationale without what the seed had drawn."""

    check: str
    claim: str
    rationale: str
    help: str
    count: int = 0
    example: Submitted | None = None
    scenario: str = ""  # of the example, where its picture shows this very failure


@dataclass(slots=True)
class Tally:
    """Everything that was counted for one exercise."""

    stem: str
    title: str
    judged: int = 0
    points: float = 0.0
    scores: Counter[float] = field(default_factory=Counter)
    claims: dict[str, Claim] = field(default_factory=dict)
    misses: dict[tuple[str, str], Miss] = field(default_factory=dict)
    more: int = 0  # failures beyond the limit of different misses

    @property
    def common(self) -> list[Miss]:
        """All misses, the most frequent first."""
        return sorted(self.misses.values(), key=lambda miss: -miss.count)

    @property
    def average(self) -> float:
        """The mean score."""
        total = sum(score * count for score, count in self.scores.items())
        return total / self.judged if self.judged else 0.0


def tally(judged: Iterable[tuple[Submitted, Verdict]]) -> list[Tally]:
    """Count all verdicts; return one tally for each exercise, in the course's order."""
    found: dict[str, Tally] = {}
    for one, verdict in judged:
        exercise = catalog.load(verdict.exercise)
        at = found.setdefault(
            verdict.exercise,
            Tally(verdict.exercise, exercise.title, points=exercise.points),
        )
        for result in verdict.results:
            claim = Claim(result.check, result.claim)
            at.claims.setdefault(result.check, claim).counts[result.status] += 1
        if verdict.unknown:
            continue
        at.judged += 1
        at.scores[round(verdict.score, 2)] += 1
        _count_misses(at, one, verdict, exercise)
    return [found[stem] for stem in sorted(found)]


def _count_misses(
    at: Tally, one: Submitted, verdict: Verdict, exercise: Exercise
) -> None:
    if verdict.problem:
        claim, text = "the submission can be run", verdict.problem
        result = Result(RUNS, claim, Status.failed, 0, 0, text, help=verdict.help)
        _count(at, one, result, general(exercise, result, verdict.seed), "")
    drawn: set[str] = set()
    for result in verdict.results:
        if result.status is Status.failed:
            # A picture has the evidence of the first failure of its scenario.
            new = result.scenario not in drawn
            drawn.add(result.scenario)
            text = general(exercise, result, verdict.seed)
            _count(at, one, result, text, result.scenario if new else "")


def _count(at: Tally, one: Submitted, result: Result, text: str, scenario: str) -> None:
    key = (result.check, text)
    if key not in at.misses and len(at.misses) >= MISSES_LIMIT:
        at.more += 1
        return
    made = Miss(result.check, result.claim, text, result.help)
    miss = at.misses.setdefault(key, made)
    miss.count += 1
    if miss.example is None or (scenario and not miss.scenario):
        miss.example, miss.scenario = one, scenario


def general(exercise: Exercise, result: Result, seed: int) -> str:
    """Return a rationale without the values that were drawn, and without numbers.

    "the reply for user-5d5487 …" and "the reply for user-33be19 …" are one miss.
    """
    text = result.rationale[:RATIONALE_LIMIT]
    chosen = exercise.scenarios.get(result.scenario)
    for scenario in [chosen] if chosen else exercise.scenarios.values():
        values = draw(scenario, seed).values
        for name, value in sorted(values.items(), key=lambda item: -len(item[1])):
            text = text.replace(value, f"{{{name.partition('_')[0]}}}")
    return COUNTED.sub("…", text)
