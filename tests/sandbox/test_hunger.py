"""Who takes all there is of something is ended, and the machine has enough left."""

from __future__ import annotations

import json
import os

import pytest

from tests.harness.small import Warm
from tests.sandbox.trying import ANSWERS, judged


@pytest.mark.parametrize(
    ("text", "says"),
    {
        "while True:\n    os.fork()\n": "processes",
        "kept = []\nwhile True:\n    kept.append(bytearray(2**26))\n": "",
        """
files = []
for n in range(100):
    file = open(f"f{n}", "wb")
    files.append(file)
    os.unlink(f"f{n}")
    for _ in range(60):
        file.write(bytes(2**20))
""": "",
        "for n in range(10**6):\n    open(f'f{n}', 'w').close()\n": "",
        "kept = []\nwhile True:\n    kept.append(open('/dev/null'))\n": "",
        "while True:\n    pass\n": "processor time",
        "while True:\n    print('x' * 10**6)\n": "",
        """
for _ in range(40):
    threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()
threading.Event().wait()
""": "",
    }.items(),
    ids=["forks", "memory", "disk", "names", "files", "cpu", "output", "threads"],
)
def test_hunger(isolated: Warm, text: str, says: str) -> None:
    """who takes all there is gets no points and a reason, and the machine is well"""
    free = os.statvfs(isolated.harness.folder)
    verdict = judged(isolated, text + ANSWERS)
    assert verdict.score == 0
    assert not verdict.unknown, verdict.results[0].rationale
    assert says in verdict.problem
    after = os.statvfs(isolated.harness.folder)
    assert free.f_bavail - after.f_bavail < 2**30 / after.f_bsize
    assert json.dumps(verdict.to_json())
