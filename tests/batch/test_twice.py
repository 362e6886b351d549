"""A class is judged as graded cells are: in two runs, of which the worse counts."""

from __future__ import annotations

from typing import Any

import pytest

from grader.batch.task import judge_author, worst
from grader.vocabulary import Result, Status, Verdict
from tests.batch.classroom import STEM

# Hands out numbers that all processes share, as long as there are two of them.
FOR_TWO = """
import os, sqlite3
from contextlib import closing

def asked(statement):
    with closing(sqlite3.connect(os.environ["CHECKPOINT_DB"], timeout=20)) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS processes (n INTEGER PRIMARY KEY)")
        db.execute("CREATE TABLE IF NOT EXISTS tickets (n INTEGER PRIMARY KEY)")
        return db.execute(statement)

asked("INSERT INTO processes DEFAULT VALUES")

def ticket():
    number = asked("INSERT INTO tickets DEFAULT VALUES").lastrowid
    with closing(sqlite3.connect(os.environ["CHECKPOINT_DB"])) as db:
        (count,) = db.execute("SELECT count(*) FROM processes").fetchone()
    return 1 if (number, count) == (2, 4) else number
"""


def task(text: str, **more: Any) -> dict[str, Any]:
    """Return the task of one submission."""
    exercise = {"stem": STEM, "sha256": "0" * 64, "seed": 7, "text": text, **more}
    return {"author": "ada", "tier": 3, "exercises": [exercise]}


@pytest.mark.parametrize(("once", "score"), [(True, 6), (False, 0)])
def test_more_processes(once: bool, score: float) -> None:
    """what holds for as many processes as a scenario names, and no more, scores 0"""
    (answer,) = judge_author(task(FOR_TWO, once=once))
    results = answer["verdict"]["results"]
    assert sum(result["score"] for result in results) == score
    assert answer["verdict"]["processes"] == (0 if once else 4)
    failed = {r["scenario"] for r in results if r["status"] == "failed"}
    assert {*answer["timelines"]} == failed


def results(*scores: float | None) -> tuple[Result, ...]:
    """Return a result for each score; None is one of the grader's own errors."""
    return tuple(
        Result(
            f"check{n}",
            "",
            Status.error if score is None else Status.passed,
            score or 0,
            2,
        )
        for n, score in enumerate(scores)
    )


def test_worst_of_each() -> None:
    """of each check the worst result counts; one that is unknown stays unknown"""
    one = Verdict(STEM, "", 1, 0, results(2, 0, 2, 2))
    other = Verdict(STEM, "", 1, 4, results(2, 2, None, 0))
    found = worst([one, other])
    assert [result.score for result in found.results] == [2, 0, 0, 0]
    assert [r.status is Status.error for r in found.results] == [0, 0, 1, 0]
    assert found.unknown
    assert found.processes == 4
