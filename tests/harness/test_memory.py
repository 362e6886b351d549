"""How much memory processes hold together."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import psutil
import pytest

from grader.harness import memory
from grader.harness.limits import MIB

HELD_B = 64 * MIB
FORKS = 4

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a fork's share")


@pytest.fixture
def forks() -> Iterator[list[psutil.Process]]:
    """Processes that share what this one holds, and write none of it."""
    held = b"x" * HELD_B
    keep, kept = os.pipe()
    pids = []
    for _ in range(FORKS):
        pid = os.fork()
        if not pid:
            os.close(kept)
            os.read(keep, 1)  # until this process closes the other end
            os._exit(0)
        pids.append(pid)
    yield [psutil.Process(pid) for pid in pids]
    os.close(kept)
    os.close(keep)
    for pid in pids:
        os.waitpid(pid, 0)
    assert len(held) == HELD_B


def test_what_is_shared_counts_once(forks: list[psutil.Process]) -> None:
    """each fork has its part of it, and so has this process"""
    together = memory.held_b(forks, limit_b=0)
    one = forks[0].memory_info().rss
    assert HELD_B * FORKS / (FORKS + 1) < together < 2 * one < FORKS * one


def test_only_as_many_as_needed_are_looked_at(
    forks: list[psutil.Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    """a look at the pages is slow: none where the quick bound is below the limit, and
    no more than it takes to see that what they hold is below it"""
    looked = []

    def own_b(process: psutil.Process) -> int:
        looked.append(process)
        return HELD_B // FORKS

    monkeypatch.setattr(memory, "_own_b", own_b)
    bound = memory.held_b(forks, limit_b=HELD_B * 1000)
    assert not looked
    assert bound > HELD_B * FORKS
    assert memory.held_b(forks, limit_b=bound - 1) < bound
    assert len(looked) == 1
    looked.clear()
    assert memory.held_b(forks, limit_b=HELD_B // 2) == HELD_B
    assert len(looked) == FORKS
