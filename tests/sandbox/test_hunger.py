"""Who takes all there is of something is ended, and the machine has enough left."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import psutil
import pytest

from grader.harness import tree
from tests.harness.small import Warm
from tests.sandbox.trying import ANSWERS, judged, look

SPINS = "it used 2 s of processor time"
# What each takes, and the limit that it meets; of two, whichever comes first.
HUNGRY = {
    "forks": (
        "while True:\n    os.fork()\n",
        r"limit: processes \(\d+ processes\)",
    ),
    "memory": (
        "kept = []\nwhile True:\n    kept.append(bytearray(2**26))\n",
        rf"limit: memory \(2048 MiB\)|MemoryError|{SPINS}",
    ),
    "shared memory": (
        """
for n in range(9):
    with open(f"/dev/shm/{n}", "wb") as file:
        file.write(bytes(2**24))
""",
        r"No space left on device",
    ),
    "disk": (
        """
files = []
for n in range(100):
    file = open(f"f{n}", "wb")
    files.append(file)
    os.unlink(f"f{n}")
    for _ in range(60):
        file.write(bytes(2**20))
""",
        rf"limit: disk \(256 MiB\)|No space left on device|{SPINS}",
    ),
    "names": (
        "for n in range(10**6):\n    open(f'f{n}', 'w').close()\n",
        rf"limit: files \(5000 files\)|No space left on device|{SPINS}",
    ),
    "files": (
        "kept = []\nwhile True:\n    kept.append(open('/dev/null'))\n",
        r"Too many open files: '/dev/null'",
    ),
    "cpu": ("while True:\n    pass\n", SPINS),
    "output": ("while True:\n    print('x' * 10**6)\n", r"File too large"),
    "threads": (
        """
for _ in range(40):
    threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()
threading.Event().wait()
""",
        SPINS,
    ),
}
# What the memory holds that is a folder inside, and how many processes there are.
LOOKS = """
def look(what):
    def used(folder):
        found = os.statvfs(folder)
        return [found.f_blocks - found.f_bfree, found.f_files - found.f_ffree]
    pids = [name for name in os.listdir("/proc") if name.isdigit()]
    return [used("/dev/shm"), used("/tmp"), len(pids)]
"""


def held(warm: Warm) -> tuple[set[int], Any]:
    """Return the processes of a sandbox, and what is to be seen inside it."""
    launcher = warm.harness.launcher
    (inside,) = look(warm, LOOKS, "a")
    tops = [psutil.Process(root) for root in launcher.roots()]
    found = {each.pid for top in tops for each in top.children(recursive=True)}
    for each in psutil.process_iter(["uids"]):
        uids = each.info["uids"]
        if launcher.owner and uids and uids.real == launcher.owner:
            found.add(each.pid)
    return found, inside


SPINNERS = {
    "many": """
for _ in range(20):
    if not os.fork():
        while True:
            pass
threading.Event().wait()
""",
    "many in turn": """
def fork():
    while True:
        pid = os.fork()
        if not pid:
            sum(range(10**6))
            os._exit(0)
        os.waitpid(pid, 0)
for _ in range(3):
    threading.Thread(target=fork).start()
threading.Event().wait()
""",
    "orphans": """
for _ in range(5):
    if not os.fork():
        if not os.fork():
            while True:
                pass
        os._exit(0)
threading.Event().wait()
""",
}


@pytest.mark.parametrize("who", SPINNERS)
def test_spinners(isolated: Warm, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """what a submission forks has a limit of processor time in all"""
    monkeypatch.setattr(tree, "CHILDREN_CPU_LIMIT_S", 2)
    before = held(isolated)
    verdict = judged(isolated, SPINNERS[who] + ANSWERS)
    assert verdict.score == 0
    assert not verdict.unknown, verdict.results[0].rationale
    assert "limit: children (2 s of processor time)" in verdict.problem
    assert held(isolated) == before


def test_workers_are_no_children(
    isolated: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """what the processes themselves use is not counted as what they fork"""
    monkeypatch.setattr(tree, "CHILDREN_CPU_LIMIT_S", 0.2)
    busy = "import time\nwhile time.thread_time() < 1:\n    pass\n"
    assert judged(isolated, busy + ANSWERS).passed


@pytest.mark.parametrize("what", HUNGRY)
def test_hunger(isolated: Warm, what: str) -> None:
    """who takes all there is gets no points and a reason, and the machine is well"""
    text, reason = HUNGRY[what]
    before, free = held(isolated), os.statvfs(isolated.harness.folder)
    verdict = judged(isolated, text + ANSWERS)
    assert verdict.score == 0
    assert not verdict.unknown, verdict.results[0].rationale
    assert re.search(reason, verdict.problem), verdict.problem
    after = os.statvfs(isolated.harness.folder)
    assert free.f_bavail - after.f_bavail < 2**30 / after.f_bsize
    assert held(isolated) == before
    assert json.dumps(verdict.to_json())
