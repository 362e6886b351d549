"""Judges what one learner handed in, in a process of its own, for whoever reports it.

Gradescope and GitHub give each submission a machine of its own. That is the wall
around it, so both accept any tier; the best that the machine can do is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader import runner
from grader.batch.graded import Graded
from grader.batch.submitted import Submitted
from grader.batch.worker import Worker
from grader.vocabulary.verdict import from_json

AUTHOR = "submission"


def judge(found: Sequence[Submitted], tier: int) -> list[Graded]:
    """Return what became of each; the exercises of `found` differ.

    Raises:
        Refused: this machine isolates submissions less than `tier` demands.
    """
    readable = [one for one in found if not one.problem]
    exercises = [
        {
            "stem": one.stem,
            "sha256": one.sha256,
            "seed": runner.new_seed(),
            "text": one.text,
        }
        for one in readable
    ]
    verdicts = {}
    worker = Worker()
    try:
        if exercises:
            task = {"author": AUTHOR, "tier": tier, "exercises": exercises}
            for answer in worker.judge(task):
                verdicts[answer["stem"]] = from_json(answer["verdict"])
    finally:
        worker.end()
    return [Graded(one, verdicts.get(one.stem)) for one in found]


def missing(stem: str, problem: str, help: str = "") -> Submitted:
    """Return what stands for a submission that is not there, and why."""
    nothing = Submitted(AUTHOR, stem, stem, "", problem=problem)
    return with_help(replace(nothing, help=help))


def with_help(one: Submitted) -> Submitted:
    """Return a submission whose problem says the way out, too."""
    if not (one.problem and one.help):
        return one
    return replace(one, problem=f"{one.problem}\nhelp: {one.help}", help="")
