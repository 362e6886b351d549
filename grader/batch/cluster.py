"""Judges tasks on a Dask cluster: the same tasks, on other machines too."""

from __future__ import annotations

import asyncio
import logging
import queue
import random
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from grader.batch.task import Answer, Task, unjudged
from grader.batch.worker import Refused, judge_apart, said
from grader.submissions import BadInput

CONNECT_LIMIT_S = 10
AHEAD = 2  # tasks under way for each OS thread of the cluster, so that none waits
LEAST_UNDER_WAY = 4
TRIES = 3  # of what a worker raises over: anywhere, then on two different ones
SILENCE_S = 3.0  # without an answer, after which a cluster without workers is told of


class ClusterGone(Exception):
    """The scheduler went away, or all its workers."""


def judge_all(tasks: Iterator[Task], address: str) -> Iterator[Answer]:
    """Yield the answers to all tasks as they are completed.

    A task whose Dask worker is lost is given to another one. What the cluster gives
    up on is judged again at the end, one submission after the other and each alone:
    the cluster also suspects what had only been given to the same worker. What a
    worker raises over is tried on others, and is then an error for a person.

    Raises:
        BadInput: Dask is not installed, or there is no scheduler.
        ClusterGone: the scheduler was lost, or the last worker that could try again.
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
        yield from _drawn(distributed, client, address, tasks)
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


def _drawn(
    distributed: Any, client: Any, address: str, tasks: Iterator[Task]
) -> Iterator[Answer]:
    given: dict[Any, Task] = {}
    suspects: list[Task] = []
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def give(task: Task) -> None:
        at = [*task.get("tried", ())][-1:] or None
        # A key of its own, or identical tasks of two runs would be one to Dask.
        future = client.submit(judge_apart, task, pure=False, workers=at)
        given[future] = task
        future.add_done_callback(done.put)

    def fill() -> None:
        while len(given) < _room(client) and (task := next(tasks, None)) is not None:
            give(task)

    fill()
    while given:
        future = _completed(done, given, client, address)
        task = given.pop(future)
        for answer in _answers(distributed, future, task):
            if "failed" in answer:
                retries, errors = _elsewhere(task, answer["failed"], _workers(client))
                yield from errors
                for retry in retries:
                    give(retry)
            elif "again" in answer:
                suspects.append(answer["again"])
            else:
                yield answer
        future.release()  # nobody else asks for it, and the cluster's memory is small
        fill()
        if suspects and not given:
            give(suspects.pop(0))


def _completed(
    done: queue.SimpleQueue[Any], given: dict[Any, Task], client: Any, address: str
) -> Any:
    """Return the next future that is done; say so where there is nobody to do it.

    What waits for one worker alone would wait for ever when that one is lost.
    """
    told = False
    while True:
        try:
            return done.get(timeout=SILENCE_S)
        except queue.Empty:
            workers = _workers(client)
            if not workers and not told:
                told = True
                _say_nobody(address)
            for future in _stranded(given, workers):
                given[future] = {**given[future], "stranded": True}
                future.cancel()


def _say_nobody(address: str) -> None:
    begin = "\n" if sys.stderr.isatty() else ""  # the bar that is there stays
    print(
        f"{begin}the scheduler at {address} has no worker: waiting for one, as "
        f"`dask worker {address} --nthreads 1` starts it",
        file=sys.stderr,
    )


def _stranded(given: Mapping[Any, Task], workers: Collection[str]) -> list[Any]:
    """Return what waits for a worker that is gone, if there are others."""
    at = {future: [*task.get("tried", ())][-1:] for future, task in given.items()}
    return [f for f in at if workers and not {*workers}.issuperset(at[f])]


def _answers(distributed: Any, future: Any, task: Task) -> Iterator[Answer]:
    """Yield what a future came to.

    What was stranded, or what the cluster gave up on, is to be done again:
    `{"again": task}`. What a worker raised is `{"failed": why}`. An answer can be lost
    with the worker that kept it, between its end and this call. The scheduler then has
    the task judged again, and its answer is awaited here.
    """
    if task.get("stranded"):
        yield from _suspected(task)
        return
    try:
        answers = future.result()
    except Refused:
        raise
    except distributed.scheduler.KilledWorker:
        answers = _suspected(task)
    except (Exception, asyncio.CancelledError) as problem:
        if future.status != "error":
            why = str(problem).partition("\n")[0] or future.status
            raise ClusterGone(f"the cluster could not judge: {why}") from None
        answers = [{"failed": said(problem)}]  # such as: this project is not there
    yield from answers


def _elsewhere(
    task: Task, why: str, workers: Collection[str]
) -> tuple[list[Task], list[Answer]]:
    """Return each submission as a task for another worker, or at last as an error.

    A full disk or a missing package is the machine's: on another one it may go well.
    """
    if not workers:
        raise ClusterGone(f"the cluster has no worker left: {why}")
    tried = task.get("tried", ())
    apart = [{**task, "exercises": [one]} for one in task["exercises"]]
    if len(tried) + 1 < TRIES:
        return [{**t, "tried": [*tried, _untried(workers, tried)]} for t in apart], []
    reason = f"no worker of the cluster could judge it, the last one for {why}"
    return [], [unjudged(one, reason) for one in task["exercises"]]


def _untried(workers: Collection[str], tried: Sequence[str]) -> str:
    """Return a worker that has not tried yet, rather on a machine that has not."""
    machines = Counter(_machine(each) for each in tried)
    drawn = random.sample(sorted(workers), len(workers))  # not all to the same one
    return min(drawn, key=lambda each: (machines[_machine(each)], each in tried))


def _machine(worker: str) -> str:
    return worker.rpartition(":")[0]  # without the port


def _suspected(task: Task) -> Iterator[Answer]:
    if task.get("alone"):
        (exercise,) = task["exercises"]
        yield unjudged(exercise, "the machines that judged it were lost each time")
        return
    anew = {**task, "alone": True, "tried": (), "stranded": False}
    for exercise in task["exercises"]:
        yield {"again": {**anew, "exercises": [exercise]}}


def _room(client: Any) -> int:
    return max(LEAST_UNDER_WAY, AHEAD * sum(_workers(client).values()))


def _workers(client: Any) -> dict[str, int]:
    """Return the addresses of all workers, each with the number of its OS threads."""
    try:
        return dict(client.nthreads())
    except OSError as problem:
        raise ClusterGone(f"the cluster could not be asked: {problem}") from None
