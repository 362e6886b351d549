"""A class of everything that can happen, as it was graded."""

from __future__ import annotations

from typing import Any

from grader import catalog
from grader.batch.graded import Graded
from grader.batch.submitted import Submitted, digest
from grader.vocabulary import Result, Status, Verdict
from tests.batch.classroom import OTHER, STEM, verdict

HOSTILE = '<script>alert("x")</script>&=1+1'
SVG = '<svg width="10" height="10"><title>A picture of it</title></svg>'


def one(author: str, text: str = "x", stem: str = STEM, **fields: Any) -> Submitted:
    """Return something that was handed in."""
    return Submitted(author, stem, f"/in/{author}.ipynb", digest(text), **fields)


def failed(rationale: str, stem: str = OTHER, **fields: Any) -> Verdict:
    """Return a verdict in which one check failed so."""
    exercise = catalog.load(stem)
    check = next(iter(exercise.checks.values()))
    found = verdict(stem=stem, **fields)
    result = Result(
        *(check.name, check.claim, Status.failed, 0.0, check.points, rationale),
        *((HOSTILE,), (1,), check.scenarios[0], HOSTILE),
    )
    rest = [r for r in found.results if r.check != check.name]
    return Verdict(stem, exercise.title, 7, 0, (result, *rest))


UNREAD = {"problem": f"expected a notebook, found {HOSTILE}", "help": "save it again"}
CLASS = [
    Graded(one("ada"), verdict()),
    Graded(one("ada", "y", OTHER, note="handed in 2 times"), failed(HOSTILE)),
    Graded(one("bob", name="Bob B", number="4711", system="moodle"), verdict(), "ada"),
    Graded(one("cleo", "z"), verdict(Status.error)),
    Graded(one("dan", "d", "", **UNREAD), None),
    Graded(one("eve_77", "e", number="77", system="canvas", late=True), verdict()),
    Graded(one(HOSTILE, "h", OTHER), failed(HOSTILE)),
    Graded(one("zoe", "i", OTHER), verdict(Status.skipped, OTHER, problem=HOSTILE)),
]
