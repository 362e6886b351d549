"""A verdict is all check results of one submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

FORMAT = 1  # raised when the JSON of a verdict changes its meaning
# How many processes the runs have that points are given for; the worst one counts.
RUNS = (0, 4)


class Status(StrEnum):
    """How a check ended; `error` means that the grader or the machine broke."""

    passed = "passed"
    failed = "failed"
    skipped = "skipped"
    error = "error"


@dataclass(frozen=True, slots=True)
class Result:
    """How one check ended, and why."""

    check: str
    claim: str
    status: Status
    score: float
    points: float
    rationale: str = ""
    evidence: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()  # of the observations that are the evidence
    scenario: str = ""
    help: str = ""

    @property
    def worth(self) -> tuple[bool, float]:
        """What makes one of several results the worst: unknown is worse than zero."""
        return self.status is not Status.error, self.score


@dataclass(frozen=True, slots=True)
class Verdict:
    """All results; `problem` says why a submission could not be run at all."""

    exercise: str
    title: str
    seed: int
    processes: int
    results: tuple[Result, ...]
    problem: str = ""
    help: str = ""
    tier: str = "not isolated"
    duration_s: float = 0.0

    @property
    def score(self) -> float:
        """The sum of the points of all passed checks."""
        return sum(result.score for result in self.results)

    @property
    def points(self) -> float:
        """The most that could be scored."""
        return sum(result.points for result in self.results)

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(result.status is Status.passed for result in self.results)

    @property
    def unknown(self) -> bool:
        """Whether the grader or the machine broke, so that a person must look."""
        return any(result.status is Status.error for result in self.results)

    def result(self, check: str) -> Result:
        """Return the result of one check.

        Raises:
            KeyError: the exercise has no check of that name.
        """
        for result in self.results:
            if result.check == check:
                return result
        known = ", ".join(result.check for result in self.results)
        raise KeyError(f"{self.exercise} has no check {check!r}; it has {known}")

    def to_json(self) -> dict[str, Any]:
        """Return plain data of the schema in `verdict.schema.json`."""
        data = {"verdict": FORMAT, **asdict(self)}
        data["score"], data["max_score"] = self.score, self.points
        return data


def from_json(data: Mapping[str, Any]) -> Verdict:
    """Read a verdict from what `Verdict.to_json` returned.

    Raises:
        ValueError: the data is not a verdict of this format.
    """
    if data.get("verdict") != FORMAT:
        raise ValueError(
            f"expected a verdict of format {FORMAT}, found {data.get('verdict')!r}"
        )
    fields = {
        k: v for k, v in data.items() if k not in {"verdict", "score", "max_score"}
    }
    results = tuple(
        Result(
            **{
                **item,
                "status": Status(item["status"]),
                "evidence": tuple(item["evidence"]),
                "numbers": tuple(item["numbers"]),
            }
        )
        for item in fields.pop("results")
    )
    return Verdict(results=results, **fields)
