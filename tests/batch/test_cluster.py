"""A Dask cluster of separately started processes judges the same tasks."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from grader.batch.cluster import LEAST_UNDER_WAY, _answers
from grader.harness.patience import until
from tests.batch.classroom import (
    RIGHT,
    STEM,
    command,
    hand_in,
    lines,
    run,
    small_judge,
)
from tests.batch.clusters import Cluster
from tests.harness.living import LIMIT_S, Signal, survivors

distributed = pytest.importorskip("distributed")

AUTHORS = 12
ALL_JUDGED = {f"author{number:02}": "judged" for number in range(AUTHORS)}


def class_of(tree: Path, text: str = "x = {}") -> None:
    """Hand in different submissions."""
    for number in range(AUTHORS):
        hand_in(tree, f"author{number:02}", text.format(number))


def test_a_worker_is_killed_at_work(cluster: Cluster, tmp_path: Path) -> None:
    """of two workers one is killed in mid-task: all is judged, and nothing twice"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    class_of(tree)
    hand_in(tree, "author05", "it hangs once")
    told = Signal(tmp_path)
    workers = {process.pid: process for process in (cluster.worker(), cluster.worker())}
    arguments = ("--scheduler", cluster.address, "--accept-tier", "3")
    grading = command("grade", tree, "-o", out, *arguments)
    (working,) = told.wait()
    below = working.children(recursive=True)
    assert working.pid in workers
    assert below
    working.kill()
    _, err = grading.communicate()
    assert grading.returncode == 0, err
    found = [line["author"] for line in lines(out)]
    assert sorted(found) == [f"author{number:02}" for number in range(AUTHORS)]
    judged = Counter((tmp_path / "judged.log").read_text().split())
    assert len(judged) == AUTHORS
    assert max(judged.values()) == 2
    assert survivors(below) == []
    told.close()


def test_an_answer_is_lost(cluster: Cluster) -> None:
    """an answer that only a killed worker had is found again by another one"""
    answers = [{"author": "ada"}]
    first = cluster.worker()
    with (
        distributed.Client(cluster.address, set_as_default=False) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        future = client.submit(lambda: answers, pure=False)
        assert future.result(LIMIT_S) == answers
        first.kill()
        assert asyncio.run(until(lambda: future.status == "lost", LIMIT_S))
        asked = pool.submit(lambda: [*_answers(distributed, future, task={})])
        cluster.worker()
        assert asked.result(LIMIT_S) == answers


def test_a_real_task(tmp_path: Path) -> None:
    """a worker of the cluster judges a real submission, and leaves nothing behind"""
    cluster = Cluster(tmp_path, None, {})
    try:
        tree, out = tmp_path / "submitted", tmp_path / "out"
        hand_in(tree, "ada", RIGHT.read_text())
        process = cluster.worker()
        arguments = ("--scheduler", cluster.address, "--accept-tier", "3")
        grading = command("grade", tree, "-o", out, *arguments)
        _, err = grading.communicate()
        assert grading.returncode == 0, err
        (line,) = lines(out)
        assert (line["exercise"], line["verdict"]["score"]) == (STEM, 10.0)
        below = process.children(recursive=True)
    finally:
        cluster.close()
    assert survivors(below) == []


def test_the_scheduler_goes_away(cluster: Cluster, tmp_path: Path) -> None:
    """without a scheduler the run ends; what is done is kept, the rest comes later"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    class_of(tree)
    hand_in(tree, "author11", "it hangs once")
    told = Signal(tmp_path)
    cluster.worker()
    arguments = ("grade", tree, "-o", out, "--accept-tier", "3", "--scheduler")
    grading = command(*arguments, cluster.address)
    told.wait()
    for process in cluster.processes:
        process.kill()
    _, err = grading.communicate()
    assert grading.returncode == 2, err
    assert "the same command goes on where this one stopped" in err
    assert "Traceback" not in err
    told.close()
    kept = lines(out)
    # The last one was given out when so few were left that have no verdict.
    assert AUTHORS - LEAST_UNDER_WAY <= len(kept) < AUTHORS
    with closing(Cluster(tmp_path, small_judge(tmp_path), {})) as another:
        another.worker()
        status, _, err = run(*arguments, another.address)
    assert status == 0, err
    assert lines(out)[: len(kept)] == kept
    assert {line["author"]: line["status"] for line in lines(out)} == ALL_JUDGED
    assert len(lines(out)) == AUTHORS
    judged = Counter((tmp_path / "judged.log").read_text().split())
    assert {judged[line["sha256"]] for line in kept} == {1}


def test_what_kills_its_workers(tmp_path: Path) -> None:
    """what kills two workers waits for a person; what they had besides is judged"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    class_of(tree)
    hand_in(tree, "author00", "it kills")
    settings = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    with closing(Cluster(tmp_path, small_judge(tmp_path), settings)) as cluster:
        first = cluster.worker()
        arguments = ("--scheduler", cluster.address, "--accept-tier", "3")
        grading = command("grade", tree, "-o", out, *arguments)
        # Dask suspects all that a lost worker was given: some more than it worked on.
        assert survivors([first]) == []
        cluster.worker()
        cluster.worker()
        _, err = grading.communicate()
    assert grading.returncode == 3, err
    found = {line["author"]: line for line in lines(out)}
    status = {author: line["status"] for author, line in found.items()}
    assert status == {**ALL_JUDGED, "author00": "error"}
    assert len(lines(out)) == AUTHORS
    judged = (tmp_path / "judged.log").read_text().split()
    assert judged.count(found["author00"]["sha256"]) == 2
    rows = (out / "grades.csv").read_text().splitlines()
    assert f"author00,{STEM},error,,10,the machines that judged it were lost" in rows[1]


def test_a_worker_that_isolates_too_little(tmp_path: Path) -> None:
    """a worker below the accepted tier ends the run, and gives nobody a verdict"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    hand_in(tree, "ada", "x = 1")
    settings = {"GRADER_TIER": "3"}
    with closing(Cluster(tmp_path, small_judge(tmp_path), settings)) as cluster:
        cluster.worker()
        arguments = ("--scheduler", cluster.address, "--accept-tier", "2")
        status, _, err = run("grade", tree, "-o", out, *arguments)
    assert status == 2
    assert "found tier 3" in err
    assert "help: `python -m grader doctor`" in err
    assert lines(out) == []
    assert not (out / "index.html").exists()
