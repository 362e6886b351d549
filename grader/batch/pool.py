"""Judges tasks in a pool of OS threads, each with a process of its own."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator

from grader.batch.task import Answer, Task
from grader.batch.worker import Stopped, Worker
from grader.harness.launchers import handed_on, shared

WORKERS_LIMIT = 256
# Answers that wait to be written down; a worker waits for room before it goes on.
WAITING_LIMIT = 8


def cores() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def judge_all(tasks: Iterator[Task], workers: int) -> Iterator[Answer]:
    """Yield the answers to all tasks as they come; tasks are drawn when needed.

    When the caller stops asking, or is interrupted, every process ends.
    """
    answers: queue.Queue[Answer | BaseException | None] = queue.Queue(WAITING_LIMIT)
    drawing = threading.Lock()
    stopping = threading.Event()

    def put(item: Answer | BaseException | None) -> None:
        while not stopping.is_set():
            try:
                return answers.put(item, timeout=1.0)
            except queue.Full:
                continue

    def work(worker: Worker) -> None:
        try:
            while not stopping.is_set():
                with drawing:
                    task = next(tasks, None)
                if task is None:
                    break
                for answer in worker.judge(task):
                    put(answer)
        except Stopped:
            pass
        except BaseException as problem:  # raised where the answers are awaited
            put(problem)
        finally:
            worker.end()
            put(None)

    preloaded = shared()
    made = [Worker(lambda: handed_on(preloaded)) for _ in range(workers)]
    threads = [threading.Thread(target=work, args=(w,), daemon=True) for w in made]
    try:
        for thread in threads:
            thread.start()
        working = len(threads)
        while working:
            item = answers.get()
            if item is None:
                working -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item
    finally:
        stopping.set()
        for worker in made:
            worker.end()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        preloaded.close()
