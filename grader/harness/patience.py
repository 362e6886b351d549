"""Waits with a limit that a crowded machine does not use up."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache
from typing import TypeVar

from grader.harness.limits import HARD_LIMIT_S, POLL_PERIOD_S

T = TypeVar("T")
USUAL = 2  # OS threads that can run, for each CPU
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
LATELY_S = 0.05
TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class OutOfPatience(Exception):
    """Nothing happened within the limit; its text says which limit."""


async def within(
    awaitable: Awaitable[T],
    limit_s: float,
    pids: Collection[int] = (),
    cpu_limit_s: float = HARD_LIMIT_S,
    held_s: Callable[[], float] = float,
) -> T:
    """Await for `limit_s` seconds, not counting time spent waiting for a CPU.

    Time that the processes `pids`, or this one, were runnable but not running is
    added to the limit, or what the machine had no CPU for, up to HARD_LIMIT_S;
    `cpu_limit_s` is what one of the processes may burn, and `held_s()` how long they
    were held up on purpose so far, which is not counted either.

    Raises:
        OutOfPatience: the limit was reached; the awaitable is cancelled.
    """
    task = asyncio.ensure_future(awaitable)
    began, before = time.monotonic(), {pid: Spent(pid) for pid in {*pids, os.getpid()}}
    crowd, wait_s, held_before_s = Crowd(), min(limit_s, 0.5), held_s()
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=wait_s)
            if done:
                return task.result()
            elapsed, share = time.monotonic() - began, crowd.share()
            burnt = max((before[pid].cpu_s() for pid in pids), default=0.0)
            if burnt > cpu_limit_s:
                raise OutOfPatience(f"it used {cpu_limit_s:g} s of processor time")
            limit = limit_s + held_s() - held_before_s
            left = limit - elapsed
            if left <= 0:  # all that decides now: looking at every OS thread takes long
                crowded = sum(spent.crowded_s() for spent in before.values())
                crowded = max(crowded, share * elapsed)
                left = min(limit + crowded, HARD_LIMIT_S) - elapsed
            if left <= 0:
                raise OutOfPatience(f"{limit_s:g} s passed")
            wait_s = min(left, 0.5)
    finally:
        if not task.done():
            task.cancel()


async def until(
    seen: Callable[[], bool], limit_s: float, pids: Collection[int] = ()
) -> bool:
    """Look until `seen()` is true; return False when the limit is reached.

    `pids` are the processes that it depends on; see `within`.
    """

    async def look() -> None:
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        while not seen():
            await asyncio.wait({never}, timeout=POLL_PERIOD_S)

    try:
        await within(look(), limit_s, pids)
    except OutOfPatience:
        return False
    return True


class Spent:
    """How long a process has run, and waited to run, since this was made."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._delays = _lately(pid, int(time.monotonic() / LATELY_S))
        self._cpu = _cpu_s(pid)

    def crowded_s(self) -> float:
        """Seconds that its most delayed OS thread waited for a CPU."""
        now = _run_delays_s(self.pid)
        return max((now[t] - self._delays.get(t, 0.0) for t in now), default=0.0)

    def cpu_s(self) -> float:
        """Seconds of processor time of all its OS threads."""
        return max(0.0, _cpu_s(self.pid) - self._cpu)


class Crowd:
    """How much of the time since this was made who needed a CPU had to wait for one.

    A call depends on more than its process: on a database server that forks for each
    connection, on what passes its bytes on. Whoever they are, they share the CPUs with
    all that can run; two for each CPU are usual, and what is above that is counted.
    """

    def __init__(self) -> None:
        self._looks, self._sum = 0, 0

    def share(self) -> float:
        """Return the share, by all looks so far; each call is one."""
        self._looks, self._sum = self._looks + 1, self._sum + _runnable()
        usual = USUAL * CPUS * self._looks
        return max(0.0, 1 - usual / self._sum) if self._sum else 0.0


def _runnable() -> int:
    """Return how many OS threads of the machine run or could run; 0 if unknown."""
    try:
        return int(read("/proc/loadavg")[3].partition(b"/")[0])
    except (OSError, IndexError, ValueError):
        return 0


def _run_delays_s(pid: int) -> dict[str, float]:
    delays = {}
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            delays[task] = int(read(f"/proc/{pid}/task/{task}/schedstat")[1]) / 1e9
    except (OSError, IndexError, ValueError):
        pass  # not Linux, or it has ended: then nothing is added to the limit
    return delays


@lru_cache(maxsize=128)
def _lately(pid: int, _moment: int) -> dict[str, float]:
    """Return the delays as they were at most LATELY_S ago: many waits begin at once."""
    return _run_delays_s(pid)


def _cpu_s(pid: int) -> float:
    try:
        fields = read(f"/proc/{pid}/stat", after=b")")
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S
    except (OSError, IndexError, ValueError):
        return 0.0


def read(path: str, after: bytes = b"") -> list[bytes]:
    """Return the words of a file of /proc; a check reads some thousands of them."""
    with open(path, "rb", buffering=0) as file:
        text = file.readall()
    return (text.rpartition(after)[2] if after else text).split()
