"""Forks the command from a process that has imported it, and ends it where it is told.

A test that starts the command a hundred times would wait a minute for imports; what the
arguments name is imported as well. Each line of standard input is one order: the
arguments, the judge, and at which of its acts on the disk the command is killed, as by
`kill -9`. Where there is a gradebook, each statement that changes it is an act too.
"""

from __future__ import annotations

import importlib
import json
import mmap
import os
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from grader.__main__ import main
from grader.batch import grading, journal, pool, worker  # noqa: F401 - before the fork
from grader.batch.graded import Graded, line_of
from grader.batch.places import Places
from grader.batch.reporting import report
from grader.batch.submitted import Submitted
from grader.harness import tiers
from tests.batch.classroom import STEM, verdict

WORD_B = 8
done = mmap.mmap(-1, WORD_B)  # how many acts: parent and child have the same memory


def warm() -> None:
    """Look for a sandbox, and draw and write all pages once: each child then can."""
    tiers.best()
    one = Submitted("ada", STEM, "source", "0" * 64)
    with TemporaryDirectory() as folder, redirect_stdout(None):
        places = Places(Path(folder))
        with journal.Journal(places.journal) as kept:
            kept.append(line_of(Graded(one, verdict())))
            report([one], kept, places)


def count_acts(kill_at: int) -> None:
    """Count, and kill this process at one: before it, or with a line half written."""

    def act() -> bool:
        number = int.from_bytes(done[:], "little") + 1
        done[:] = number.to_bytes(WORD_B, "little")
        return number == kill_at

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def counted(acts: Callable[..., Any]) -> Callable[..., Any]:
        def counts(*arguments: Any, **options: Any) -> Any:
            if act():
                kill()
            return acts(*arguments, **options)

        return counts

    def half(self: journal.Journal, line: journal.Line) -> None:
        if act():
            data = json.dumps({"line": journal.FORMAT, **line}).encode()
            os.write(self._file.fileno(), data[: len(data) // 2])
            kill()
        append(self, line)

    def changes(_: Any, cursor: Any, statement: str, *more: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE")) and act():
            kill()

    append = journal.Journal.append
    journal.Journal.append = half  # type: ignore[method-assign]
    os.fsync = counted(os.fsync)
    os.replace = counted(os.replace)
    if "nbgrader.api" in sys.modules:
        from sqlalchemy import Engine, event

        event.listen(Engine, "before_cursor_execute", changes)


def child(order: dict[str, Any]) -> int:
    """Be the command."""
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(1, 2)
    worker.COMMAND = tuple(order["judge"])  # type: ignore[assignment]
    pool.handed_on = lambda _: None  # such a judge needs no libraries
    count_acts(order["kill_at"])
    return main(order["arguments"])


if __name__ == "__main__":
    warm()
    for name in sys.argv[1:]:
        importlib.import_module(name)
    for text in sys.stdin:
        done[:] = bytes(WORD_B)
        pid = os.fork()
        if pid == 0:
            status = 70
            try:
                status = child(json.loads(text))
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        _, waited, used = os.wait4(pid, 0)
        code = os.waitstatus_to_exitcode(waited)
        said = {"status": code, "memory_kib": used.ru_maxrss, "pid": pid}
        said["acts"] = int.from_bytes(done[:], "little")
        print(json.dumps(said), flush=True)
