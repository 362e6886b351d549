"""How much memory processes hold together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from grader.harness import memory
from grader.harness.limits import MIB

HELD_B = 64 * MIB
FORKS = 4
HOLDS = f"""
import os
held = b"x" * {HELD_B}
for _ in range({FORKS}):
    pid = os.fork()
    if not pid:
        break
    print(pid, flush=True)
os.read(0, 1)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a fork's share")


@pytest.fixture
def forks() -> Iterator[list[psutil.Process]]:
    """Processes that share what their parent holds, and write none of it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pids = [int(parent.stdout.readline()) for _ in range(FORKS)]
        forks = [psutil.Process(pid) for pid in pids]
        yield forks
        parent.communicate()  # all of them read until this process closes the other end
    assert not psutil.wait_procs(forks, timeout=10)[1]


def test_what_is_shared_counts_once(forks: list[psutil.Process]) -> None:
    """each fork has its part of it, and so has their parent"""
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
