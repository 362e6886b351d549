"""A trusted process that judges tasks, and is started anew when it has died."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from grader.batch.task import ATTEMPTS, Answer, Task, unjudged
from grader.client import ANSWER_LIMIT_S

ANSWER_LIMIT_B = 64 * 1024 * 1024
GOODBYE_S = 10.0
COMMAND = (sys.executable, "-P", "-m", "grader.batch.task")


class WorkerDied(Exception):
    """The process ended, or said nothing for too long, before its task was done."""


class Refused(Exception):
    """The machine is not isolated well enough to judge other people's submissions."""


class Stopped(Exception):
    """Whoever waits for the answer has told the worker to end."""


class Worker:
    """Judges one task at a time; `end` may be called from another thread.

    `zygote` returns what a zygote obeys that the process may have, if there is one.
    """

    def __init__(self, zygote: Callable[[], socket.socket | None] = lambda: None):
        self._zygote = zygote
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = False
        self._lock = threading.Lock()

    def judge(self, task: Task) -> Iterator[Answer]:
        """Yield the answer to each exercise, whatever the process dies of.

        The exercise in hand when it dies is tried once more; then it is an error for
        a person to look at, and the others are judged.

        Raises:
            Refused: this machine does not isolate submissions as the task demands.
            Stopped: `end` was called.
        """
        left = list(task["exercises"])
        deaths: Counter[str] = Counter()
        while left:
            try:
                for answer in self._ask({**task, "exercises": left}):
                    left.pop(0)
                    yield answer
            except WorkerDied as died:
                if self._ending:
                    raise Stopped from died
                if not left:
                    return  # it died with its work done
                exercise = left[0]
                deaths[exercise["stem"]] += 1
                if deaths[exercise["stem"]] >= ATTEMPTS:
                    left.pop(0)
                    reason = f"its judge died {ATTEMPTS} times over it: {died}"
                    yield unjudged(exercise, reason)

    def end(self) -> None:
        """End the process and all that it started, and take no more tasks."""
        with self._lock:
            self._ending = True
            process = self._process
        if process is not None:
            _end(process)

    def _ask(self, task: Task) -> Iterator[Answer]:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(task).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            raise self._dead(process, "it had ended") from None
        while True:
            late = threading.Timer(ANSWER_LIMIT_S, process.kill)
            late.daemon = True
            late.start()
            line = process.stdout.readline(ANSWER_LIMIT_B)
            late.cancel()
            if not line.endswith(b"\n"):
                raise self._dead(process, "")
            answer: dict[str, Any] = json.loads(line)
            if "refused" in answer:
                raise Refused(answer["refused"])
            if "done" in answer:
                return
            yield answer

    def _started(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._ending:
                raise Stopped
            if self._process is None:
                package = str(Path(__file__).parents[2])
                path = {"PYTHONPATH": package, "PYTHONSAFEPATH": "1"}
                control = self._zygote()
                with control or contextlib.nullcontext():
                    given = [] if control is None else [control.fileno()]
                    self._process = subprocess.Popen(
                        [*COMMAND, *map(str, given)],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL,
                        start_new_session=True,  # Ctrl-C is for whoever waits for it
                        pass_fds=given,
                        env={**os.environ, **path},
                    )
            return self._process

    def _dead(self, process: subprocess.Popen[bytes], how: str) -> WorkerDied:
        """Clear away a process that is of no more use; return what is to be raised."""
        _end(process)
        with self._lock:
            self._process = None
        ended = _how(process.returncode)
        return WorkerDied(how or ended)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a process end what it started; after a while, end its session."""
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()  # it ends its harness, then itself
    try:
        process.wait(GOODBYE_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


_of_this_thread = threading.local()


def judge_apart(task: Task) -> list[Answer]:
    """Judge a task in a process of its own, kept for the next; for a Dask worker.

    What the machine is to blame for, such as a full disk, is `{"failed": why}`: Dask's
    client waits for ever for some exceptions, those with a long traceback.

    Raises:
        Refused: this machine does not isolate submissions as the task demands.
    """
    if not hasattr(_of_this_thread, "worker"):
        _of_this_thread.worker = Worker()
    try:
        return list(_of_this_thread.worker.judge(task))
    except Refused:
        raise
    except Exception as problem:
        print(traceback.format_exc(), file=sys.stderr)  # for the worker's log
        _of_this_thread.worker.end()  # the next task must not get this one's answers
        del _of_this_thread.worker
        return [{"failed": said(problem)}]


def said(problem: BaseException) -> str:
    """Return an exception in one line."""
    return f"{type(problem).__name__}: {problem}".partition("\n")[0]


def _how(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
