"""What tests about endings share: a signal from a submission, and who still lives."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from grader.harness.preloaded import ZYGOTE

ROOT = Path(__file__).parents[2]
LIMIT_S = 60.0  # only for a machine that is very crowded
BOTH = 2  # the process that hangs, and the daemon that it has left


def is_zygote(process: psutil.Process | None) -> bool:
    """Whether it is one, or was forked by one, and still runs."""
    with contextlib.suppress(psutil.Error):
        return process is not None and ZYGOTE in process.cmdline()
    return False


class Signal:
    """A named pipe by which a submission says that it has come so far, and its pid."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "signal"
        os.mkfifo(self.path)
        self._file = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        self._read = b""

    def wait(self, count: int = 1) -> list[psutil.Process]:
        """Wait until so many pids were written; return their processes."""
        while self._read.count(b"\n") < count:
            ready, _, _ = select.select([self._file], [], [], LIMIT_S)
            assert ready, "the submission has not come so far"
            self._read += os.read(self._file, 4096)
        return [psutil.Process(int(pid)) for pid in self._read.split()[:count]]

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._file)

    def hangs(self) -> str:
        """Return a submission whose call leaves a daemon, says both pids, and hangs.

        The daemon has left its parents, its group and its session, and ignores what
        can be ignored.
        """
        return f"""
import os, signal, threading

def say():
    with open({str(self.path)!r}, "a") as file:
        file.write(f"{{os.getpid()}}\\n")

def chat(thread_id, text):
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            say()
            os.close(writer)
            threading.Event().wait()
        os._exit(0)
    os.wait()
    os.close(writer)
    os.read(reader, 1)  # the end of the pipe: the daemon has said its pid
    if text == "leave it":
        return "a"
    say()
    threading.Event().wait()

def resume(thread_id):
    return ""
"""


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and everything below it."""
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]


def survivors(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return which of the processes do not end; it waits for them."""
    alive, deadline = list(processes), time.monotonic() + LIMIT_S
    while (alive := [p for p in alive if lives(p)]) and time.monotonic() < deadline:
        psutil.wait_procs(alive, timeout=0.02)
    return alive


def lives(process: psutil.Process) -> bool:
    """Whether a process runs; one that nobody has waited for does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def lines(processes: Iterable[psutil.Process]) -> list[list[str]]:
    """Return the command lines of those that still live; one may end meanwhile."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(process.cmdline())
    return found


def leftovers(folder: Path) -> list[str]:
    """Return the scratch folders of harnesses in a folder."""
    return sorted(path.name for path in folder.glob("*grader-run-*"))


PATIENTLY = """
from grader.harness import limits, supervisor

supervisor.CALL_LIMIT_S = limits.HARD_LIMIT_S
from grader.__main__ import run

raise SystemExit(run())
"""


def command(
    *arguments: str | Path, folder: Path, tier: int = 3, **options: object
) -> subprocess.Popen[str]:
    """Start `python -m grader …` with scratch folders in `folder`.

    A call may take as long as the hard limit, so that a test on a crowded machine
    finds it still hanging.
    """
    return subprocess.Popen(
        [sys.executable, "-c", PATIENTLY, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        # A named pipe of the test's own is out of reach in a sandbox.
        env={**os.environ, "GRADER_TIER": str(tier), "TMPDIR": str(folder)},
        **options,  # type: ignore[call-overload]
    )
