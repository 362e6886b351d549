"""The best run of one submission, and all that is needed to repeat it."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from grader.vocabulary import Exercise, Verdict

COURSE = "langgraph-in-four-processes"


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of an exercise, and what it scored."""

    check: str
    claim: str
    score: float
    points: float

    @property
    def proved(self) -> bool:
        """Whether it scored all its points."""
        return self.score >= self.points


@dataclass(frozen=True, slots=True)
class Proof:
    """What was judged, how to repeat that, and what came of it."""

    date: str
    seed: int
    processes: int
    database: str
    tier: str
    versions: Mapping[str, str]
    claims: tuple[Claim, ...]
    sha256: str
    text: str

    @property
    def score(self) -> float:
        """The sum of the points that were scored."""
        return sum(claim.score for claim in self.claims)

    @property
    def points(self) -> float:
        """The most that could be scored."""
        return sum(claim.points for claim in self.claims)

    def to_json(self) -> dict[str, Any]:
        """Return plain data, as `$defs/proof` of the schema describes it."""
        return {
            **asdict(self),
            "claims": [asdict(claim) for claim in self.claims],
            "versions": dict(self.versions),
        }


def prove(verdict: Verdict, text: str, database: str, day: date) -> Proof:
    """Return the proof that a verdict is of a submission's text.

    Args:
        verdict: what the harness came to.
        text: the submission as it was judged.
        database: as it was asked for; empty: as the exercise says.
        day: of the run.
    """
    return Proof(
        day.isoformat(),
        verdict.seed,
        verdict.processes,
        database,
        verdict.tier,
        versions(),
        claims(verdict),
        digest(text),
        text,
    )


def claims(verdict: Verdict) -> tuple[Claim, ...]:
    """Return what each claim scored."""
    return tuple(Claim(r.check, r.claim, r.score, r.points) for r in verdict.results)


def promised(exercise: Exercise) -> tuple[tuple[str, str, float], ...]:
    """Return the checks of an exercise, as every proof of it lists them."""
    checks = exercise.checks.values()
    return tuple((check.name, check.claim, check.points) for check in checks)


def from_json(data: Mapping[str, Any]) -> Proof:
    """Read a proof from data that keeps to the schema."""
    listed = tuple(Claim(**claim) for claim in data["claims"])
    return Proof(**{**data, "claims": listed})


def digest(text: str) -> str:
    """Return the SHA-256 of a submission; half a surrogate pair is a text too."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions that a run depends on most."""
    found = {"python": platform.python_version()}
    for name, package in (("course", COURSE), ("langgraph", "langgraph")):
        try:
            found[name] = version(package)
        except PackageNotFoundError:  # a clone that is used without an install
            found[name] = "not installed"
    return found
