"""What the forkserver does before it forks is fast to inherit and harmless."""

import json
import subprocess
import sys

import pytest

REHEARSE = """
import json, os, sys, threading
from grader.harness.forkserver import preload
from grader.harness.harness import PRELOAD

def open_files():
    found = {fd: f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")}
    return sorted(os.readlink(path) for path in found.values() if os.path.exists(path))

before = open_files()
problems = preload(list(PRELOAD))
tasks = len(os.listdir("/proc/self/task"))
files = open_files() == before
print(json.dumps([problems, tasks, threading.active_count(), files]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_nothing_but_memory_is_left_of_it() -> None:
    """all is preloaded, one OS thread runs, and no file or socket has stayed open"""
    run = [sys.executable, "-c", REHEARSE]
    shown = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(shown.stdout) == [{}, 1, 1, True]
