"""What the forkserver does before it forks is fast to inherit and harmless."""

import json
import subprocess
import sys

import pytest

from grader.vocabulary import process
from tests.harness.small import Warm

REHEARSE = """
import json, os, sys, threading
from grader.harness.preloading import preload
from grader.harness.preloaded import PRELOAD

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


AT_ONCE = """
import sys, threading
from langchain_openai import ChatOpenAI

sys.setswitchinterval(1e-6)

def chat(thread_id, text):
    raised = []
    for _ in range(100):
        llm, barrier = ChatOpenAI(model="m"), threading.Barrier(4)

        def first():
            barrier.wait()
            try:
                llm._serialized
            except RuntimeError as problem:
                raised.append(str(problem))

        threads = [threading.Thread(target=first) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return f"{len(raised)} raised"
"""


def test_first_calls_of_a_model_at_once(warm: Warm) -> None:
    """OS threads that use a model for the first time at once do not disturb it"""
    run = warm.history(AT_ONCE, process(0).calls("chat", "a", "b"))
    assert run.replies[0].value == "0 raised"
