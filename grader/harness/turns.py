"""The order of two answers: the second waits until the first has had its effect."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection

import psutil

from grader.harness.limits import HOLD_LIMIT_S
from grader.harness.patience import read, until
from grader.vocabulary.scenario import Answers

# So many looks at sleeping OS threads before they count as at rest: enough for an
# answer that this process is about to send.
LOOKS = 5
# Of processor time between two looks: less is no work, but SQLite, which looks again
# and again whether it may write.
POLLED_S = 0.001


class Turn:
    """Whose turn it is to be answered, for one pair of events."""

    def __init__(self, step: Answers, pids: Callable[[], Collection[int]]) -> None:
        self.first, self.second = step.event, step.before
        self._pids = pids
        self._asked, self._answered, self._waiting = 0, 0, 0
        self._ran_s = 0.0

    def asked(self, event: str) -> None:
        """Note that a request has come in."""
        self._asked += event == self.first

    def answered(self, event: str) -> None:
        """Note that a request is about to be answered."""
        if event == self.first:
            self._answered += 1
            self._ran_s = ran_s(self._pids())

    async def wait(self) -> None:
        """Wait until a first answer has arrived and all it sets going has ended.

        When everything rests and no first request is in, none will come: a program
        that asks one after the other is not made to wait for itself.
        """
        self._waiting += 1
        mine, rest = self._waiting, Rest(self._pids())

        def over() -> bool:
            resting = rest.look()
            if self._answered >= mine:
                return resting and rest.ran_s != self._ran_s
            return resting and self._asked == self._answered

        await until(over, HOLD_LIMIT_S, self._pids())


class Rest:
    """Whether processes have nothing left to do but wait, look by look.

    So many `looks` in a row must find them so, and find asleep what passes on bytes
    `between` them and this process, which may serve others meanwhile. Between two
    looks they may run for `idle_s` seconds, as one does that looks again and again.
    """

    def __init__(
        self,
        pids: Collection[int],
        looks: int = LOOKS,
        between: Collection[int] = (),
        idle_s: float = 0.0,
    ) -> None:
        self.pids, self.ran_s = pids, ran_s(pids)
        self._needed, self._between, self._idle_s = looks, between, idle_s
        self._looks = 0

    def look(self) -> bool:
        """Whether all OS threads have slept for several looks in a row."""
        before, self.ran_s = self.ran_s, ran_s(self.pids)
        asleep = all(_asleep(pid) for pid in (*self.pids, *self._between))
        still = abs(self.ran_s - before) <= self._idle_s and asleep
        self._looks = self._looks + 1 if still else 0
        return self._looks >= self._needed


def ran_s(pids: Collection[int]) -> float:
    """Seconds of processor time of all OS threads that the processes have now."""
    return sum(_ran_s(pid) for pid in pids)


def _ran_s(pid: int) -> float:
    tasks = f"/proc/{pid}/task"
    try:
        if os.path.isdir(tasks):
            stats = [read(f"{tasks}/{task}/schedstat") for task in os.listdir(tasks)]
            return sum(int(stat[0]) for stat in stats) / 1e9
        used = psutil.Process(pid).cpu_times()
    except (OSError, IndexError, ValueError, psutil.Error):
        return -1.0  # an OS thread has ended meanwhile, so that something runs
    return float(used.user + used.system)


def _asleep(pid: int) -> bool:
    """Whether all OS threads wait for something; on Linux, for anything but a disk."""
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            state = read(f"/proc/{pid}/task/{task}/stat", after=b")")[0]
            if state not in b"SZXTt":
                return False
    except (OSError, IndexError):
        pass  # not Linux, or it has ended: its processor time is all that is known
    return True
