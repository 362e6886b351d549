"""Workers of a Dask cluster that cannot judge, and clusters without any worker."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.batch import worker
from grader.batch.cluster import TRIES, _answers, _stranded, _untried
from grader.batch.task import Answer, Task
from tests.batch.classroom import (
    OTHER,
    STEM,
    command,
    hand_in,
    lines,
    run,
    small_judge,
)
from tests.batch.clusters import Cluster

distributed = pytest.importorskip("distributed")

AUTHORS = 8
ACCEPTED = ("--accept-tier", "3", "--scheduler")
# What a worker runs first: whatever starts a judge there finds the disk full.
FULL_DISK = """
def full(self):
    raise OSError(28, "No space left on device")
worker.Worker._started = full
"""
NOT_INSTALLED = """
import sys
sys.modules["grader.batch.worker"] = None
"""
# A package is missing there that only some submissions need.
MISSING = """
if not hasattr(worker, "whole"):  # this is run twice
    worker.whole = worker.Worker.judge
def missing(self, task):
    if any("imports it" in each["text"] for each in task["exercises"]):
        with open("missing.log", "a") as log:
            log.write(f"{len(task['exercises'])}\\n")
        raise ModuleNotFoundError("No module named 'it'")
    return worker.whole(self, task)
worker.Worker.judge = missing
"""


@pytest.mark.parametrize(
    ("sick", "logs"),
    [(FULL_DISK, "No space left on device"), (NOT_INSTALLED, "ModuleNotFoundError")],
    ids=["full disk", "not installed"],
)
def test_a_sick_worker(cluster: Cluster, tmp_path: Path, sick: str, logs: str) -> None:
    """what fails on a worker that can judge nothing is judged on the other, and once"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    for number in range(AUTHORS):
        hand_in(tree, f"author{number}", f"x = {number}")
    cluster.worker()
    cluster.worker(sick)
    status, _, err = run("grade", tree, "-o", out, *ACCEPTED, cluster.address)
    assert status == 0, err
    assert Counter(line["status"] for line in lines(out)) == {"judged": AUTHORS}
    judged = (tmp_path / "judged.log").read_text().split()
    assert len(judged) == len({*judged}) == AUTHORS
    process = cluster.processes.pop()
    process.terminate()
    assert logs in process.communicate()[1], "it was asked, too"


def test_what_a_worker_raises(cluster: Cluster) -> None:
    """what fails before or after the judging is to be tried elsewhere, too"""
    cluster.worker()
    with distributed.Client(cluster.address, set_as_default=False) as client:
        future = client.submit(lambda: 1 / 0)
        (answer,) = _answers(distributed, future, task={})
    assert answer == {"failed": "ZeroDivisionError: division by zero"}


def test_what_judging_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """what a judge raises is an answer, because Dask loses a long traceback"""

    def deep(self: worker.Worker, task: Task) -> Iterator[Answer]:
        return deep(self, task)

    monkeypatch.setattr(worker.Worker, "judge", deep)
    (answer,) = worker.judge_apart({"author": "ada", "tier": 3, "exercises": []})
    assert answer["failed"].startswith("RecursionError: maximum recursion depth")


def test_after_what_judging_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """the next task is given to another process, and never gets an old answer"""
    judge = tmp_path / "judge.py"
    said = ("no JSON", '{"old": 1}', '{"done": true}')
    judge.write_text(f"print(*{said}, sep='\\n', flush=True); open(0).read()")
    monkeypatch.setattr(worker, "COMMAND", (sys.executable, str(judge)))
    task = {"author": "ada", "tier": 3, "exercises": [{"stem": STEM}]}
    for _ in range(2):
        (answer,) = worker.judge_apart(task)
        assert answer["failed"].startswith("JSONDecodeError")


def test_what_no_worker_can_judge(cluster: Cluster, tmp_path: Path) -> None:
    """what fails on all of them waits for a person, and alone; --retry tries again"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    for number in range(AUTHORS):
        hand_in(tree, f"author{number}", f"x = {number}")
    hand_in(tree, "author0", "it imports it")
    hand_in(tree, "author0", "y = 1", OTHER)
    for _ in range(2):
        cluster.worker(MISSING)
    arguments = ("grade", tree, "-o", out, *ACCEPTED, cluster.address)
    status, _, err = run(*arguments)
    assert status == 3, err
    found = {(line["author"], line["exercise"]): line for line in lines(out)}
    others = {key: line["status"] for key, line in found.items()}
    assert others.pop(("author0", STEM)) == "error"
    assert {*others.values()} == {"judged"}
    assert len(others) == AUTHORS
    tries = (tmp_path / "missing.log").read_text().split()
    assert tries == ["2", *["1"] * (TRIES - 1)]
    said = "no worker of the cluster could judge it, the last one for "
    said += "ModuleNotFoundError: No module named 'it'"
    assert said in (out / "grades.csv").read_text()
    assert run(*arguments)[0] == 3
    assert len((tmp_path / "missing.log").read_text().split()) == TRIES
    cluster.close()
    cluster.processes.clear()
    repaired = Cluster(tmp_path, small_judge(tmp_path), {})
    try:
        repaired.worker()
        again = ("grade", tree, "-o", out, "--retry", *ACCEPTED, repaired.address)
        assert run(*again)[0] == 0
    finally:
        repaired.close()


def test_no_worker_yet(cluster: Cluster, tmp_path: Path) -> None:
    """a scheduler without workers is waited for, and not in silence"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    hand_in(tree, "ada", "x = 1")
    grading = command("grade", tree, "-o", out, *ACCEPTED, cluster.address)
    assert grading.stderr is not None
    said = grading.stderr.readline()
    assert f"the scheduler at {cluster.address} has no worker: waiting for one" in said
    cluster.worker()
    _, err = grading.communicate()
    assert grading.returncode == 0, err
    assert "no worker" not in err
    assert [line["status"] for line in lines(out)] == ["judged"]


def test_another_machine_first() -> None:
    """of the workers left, one on a machine that has not failed comes first"""
    workers = [
        f"tcp://10.0.0.{machine}:{port}" for machine in (1, 2) for port in (5, 6)
    ]
    assert {_untried(workers, workers[:1]) for _ in range(50)} == {*workers[2:]}
    assert _untried(workers[:2], workers[:1]) == workers[1]
    assert _untried(workers[:1], workers[:1]) == workers[0]


def test_what_waits_for_a_lost_worker() -> None:
    """what only a lost worker was to try is judged by any other one, alone"""
    task = {"author": "ada", "exercises": [{"stem": STEM, "seed": 1, "sha256": "0"}]}
    waits = {**task, "tried": ["tcp://a:1", "tcp://b:1"]}
    given = {"anywhere": task, "there": waits}
    assert _stranded(given, ["tcp://a:1", "tcp://b:1"]) == []
    assert _stranded(given, ["tcp://a:1"]) == ["there"]
    assert _stranded(given, []) == [], "nobody is there to take it"
    (answer,) = _answers(None, None, {**waits, "stranded": True})
    assert not answer["again"]["tried"]
    assert answer["again"]["alone"]
    (answer,) = _answers(None, None, {**answer["again"], "stranded": True})
    assert answer["unknown"], "nor is that without an end"
