"""What a command takes, by the clock and of processors."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.account import Account

ROOT = Path(__file__).parents[1]
PLAIN = "sum(n * n for n in range(20_000_000))"  # reads and writes nothing


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of the clock, and of processors."""

    wall_s: float
    cpu_s: float

    def more(self, other: Cost, times: float) -> Cost:
        """Return this and another, so many times."""
        wall_s = self.wall_s + other.wall_s * times
        return Cost(wall_s, self.cpu_s + other.cpu_s * times)

    def __str__(self) -> str:
        return f"{self.wall_s:8.2f} /{self.cpu_s:7.2f}"


def cost(account: Account, command: Sequence[str], cwd: Path) -> Cost:
    """Run a command; return what it took.

    Raises:
        RuntimeError: it did not succeed.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    whole = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as output:  # what outlives it would hold a pipe
        before, began = account.spent_s(), time.perf_counter()
        ran = subprocess.run(
            account.joined([*command]),
            cwd=cwd,
            env=whole,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        taken = Cost(time.perf_counter() - began, account.spent_s() - before)
        if ran.returncode not in (0, 3):
            output.seek(0)
            said = output.read()[-2000:].decode(errors="replace")
            raise RuntimeError(f"{' '.join(command)}\n{said}")
    return taken


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Let what is started meanwhile have so many processors, where Linux can say so."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(every)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)


def plainly(times: int, at_once: int) -> float:
    """Return the seconds that plain counting takes so many times, so many at once."""
    began = time.perf_counter()
    for _ in range(times // at_once):
        made = [sys.executable, "-c", PLAIN]
        for counting in [subprocess.Popen(made) for _ in range(at_once)]:
            counting.wait()
    return time.perf_counter() - began
