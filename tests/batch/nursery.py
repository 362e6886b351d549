"""Forks the command from a process that has imported it, and ends it where it is told.

A test that starts the command a hundred times would wait a minute for imports. Each
line of standard input is one order: the arguments, the judge, and at which of its acts
on the disk the command is killed, as by `kill -9`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import matplotlib.backends.backend_svg
import matplotlib.figure  # noqa: F401 - imported before the fork

from grader.__main__ import main
from grader.batch import grading, journal, pool, worker  # noqa: F401


def kill_at(count: int) -> None:
    """Kill this process at an act: before it, after it, or with a line half written."""
    left = [count]

    def counted(act: Callable[..., Any]) -> Callable[..., Any]:
        def acts(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*arguments, **options)

        return acts

    def half(self: journal.Journal, line: journal.Line) -> None:
        left[0] -= 1
        if left[0] == 0:
            data = json.dumps({"line": journal.FORMAT, **line}).encode()
            os.write(self._file.fileno(), data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        append(self, line)

    append = journal.Journal.append
    journal.Journal.append = half  # type: ignore[method-assign]
    os.fsync = counted(os.fsync)
    os.replace = counted(os.replace)


def child(order: dict[str, Any]) -> int:
    """Be the command."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(null, stream)
    os.dup2(os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    worker.COMMAND = tuple(order["judge"])  # type: ignore[assignment]
    pool.handed_on = lambda _: None  # such a judge needs no libraries
    if order["kill_at"]:
        kill_at(order["kill_at"])
    return main(order["arguments"])


if __name__ == "__main__":
    for text in sys.stdin:
        pid = os.fork()
        if pid == 0:
            status = 70
            try:
                status = child(json.loads(text))
            finally:
                sys.stderr.flush()
                os._exit(status)
        _, waited, used = os.wait4(pid, 0)
        code = os.waitstatus_to_exitcode(waited)
        said = {"status": code, "memory_kib": used.ru_maxrss, "pid": pid}
        print(json.dumps(said), flush=True)
