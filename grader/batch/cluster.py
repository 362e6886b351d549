"""Judges tasks on a Dask cluster: the same tasks, on other machines too."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from grader.batch.task import Answer, Task, unjudged
from grader.batch.worker import Refused, judge_apart
from grader.submissions import BadInput

CONNECT_LIMIT_S = 10
AHEAD = 2  # tasks under way for each OS thread of the cluster, so that none waits
LEAST_UNDER_WAY = 4


class ClusterGone(Exception):
    """The scheduler went away, or its workers cannot do the work."""


def judge_all(tasks: Iterator[Task], address: str) -> Iterator[Answer]:
    """Yield the answers to all tasks as they are completed.

    A task whose Dask worker is lost is given to another one. What the cluster gives
    up on is judged again at the end, one submission after the other and each alone:
    the cluster also suspects what had only been given to the same worker.

    Raises:
        BadInput: Dask is not installed, or there is no scheduler.
        ClusterGone: the scheduler was lost.
        Refused: a worker's machine does not isolate submissions.
    """
    try:
        import distributed
    except ImportError:
        raise BadInput(
            "expected the package distributed for --scheduler, found none",
            "install this project with its extra: pip install -e .[dask]",
        ) from None
    _silence()
    try:
        made: Any = distributed.Client  # without types
        client = made(address, timeout=CONNECT_LIMIT_S, set_as_default=False)
    except (OSError, ValueError) as problem:
        raise BadInput(
            f"expected a Dask scheduler at {address}, found none: {problem}",
            "start one with `dask scheduler`; its log says the address",
        ) from None
    try:
        yield from _drawn(distributed, client, tasks)
    finally:
        client.close(timeout=CONNECT_LIMIT_S)


def _silence() -> None:
    """Have Dask, asyncio and Tornado log nothing.

    They log what they lose with a traceback; what it means for whoever waits is said
    here, in a sentence. Some of their loggers have a level of their own, which that of
    the package does not change.
    """
    for name in ("asyncio", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("asyncio", "distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _drawn(distributed: Any, client: Any, tasks: Iterator[Task]) -> Iterator[Answer]:
    given: dict[str, Task] = {}
    suspects: list[Task] = []
    done = distributed.as_completed(loop=client.loop)

    def give(task: Task | None) -> None:
        if task is None:
            return
        # A key of its own, or identical tasks of two runs would be one to Dask.
        future = client.submit(judge_apart, task, pure=False)
        given[future.key] = task
        done.add(future)

    while len(given) < _room(client) and (task := next(tasks, None)) is not None:
        give(task)
    for future in done:
        task = given.pop(future.key)
        for answer in _answers(distributed, future, task):
            if "again" in answer:
                suspects.append(answer["again"])
            else:
                yield answer
        future.release()  # nobody else asks for it, and the cluster's memory is small
        while len(given) < _room(client) and (more := next(tasks, None)) is not None:
            give(more)
        if suspects and not given:
            give(suspects.pop(0))


def _answers(distributed: Any, future: Any, task: Task) -> Iterator[Answer]:
    """Yield what a future came to; what is to be done again is `{"again": task}`.

    An answer can be lost with the worker that kept it, between its end and this call.
    The scheduler then has the task judged again, and its answer is awaited here.
    """
    try:
        answers = future.result()
    except Refused:
        raise
    except distributed.scheduler.KilledWorker:
        answers = _suspected(task)
    except (Exception, asyncio.CancelledError) as problem:
        why = str(problem).partition("\n")[0] or future.status
        raise ClusterGone(f"the cluster could not judge: {why}") from None
    yield from answers


def _suspected(task: Task) -> Iterator[Answer]:
    if task.get("alone"):
        (exercise,) = task["exercises"]
        yield unjudged(exercise, "the machines that judged it were lost each time")
        return
    for exercise in task["exercises"]:
        yield {"again": {**task, "exercises": [exercise], "alone": True}}


def _room(client: Any) -> int:
    try:
        threads: int = sum(client.nthreads().values())
    except OSError as problem:
        raise ClusterGone(f"the cluster could not be asked: {problem}") from None
    return max(LEAST_UNDER_WAY, AHEAD * threads)
