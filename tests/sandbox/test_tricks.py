"""Ways around the limits: what nobody counts, and what reaches whom all depend on.

Each is tried inside the real walls, and after each the same harness judges right.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.harness import limits, tree
from grader.sandbox import folders
from tests.harness.small import Warm
from tests.sandbox.trying import ANSWERS, look

# The forkserver's limits, everybody's priority; memory and words that are nobody's.
REACHES = """
import ctypes, resource
libc = ctypes.CDLL(None, use_errno=True)

def call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")

def look(what):
    parent, soft = os.getppid(), resource.RLIMIT_NOFILE
    return {
        "limit": tried(lambda: resource.prlimit(parent, soft, (64, 64))),
        "see": tried(lambda: resource.prlimit(parent, soft)),
        "nice to all": tried(lambda: os.setpriority(os.PRIO_USER, 0, 19)),
        "nice to its parent": tried(lambda: os.setpriority(
            os.PRIO_PROCESS, parent, 19)),
        "memory of a name": tried(lambda: os.memfd_create("x")),
        "shared memory": tried(lambda: call(libc.shmget(0, 4096, 0o1600))),
        "words": tried(lambda: call(libc.msgget(0, 0o1600))),
        "a pipe that waits": tried(lambda: os.mkfifo("pipe")),
        "a pipe for all": tried(lambda: os.mkfifo(
            os.environ["CHECKPOINT_DB"] + "-journal")),
    }
"""
# Process 0 is so kind as to tell its number, which is not hard to guess.
OTHERS = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
ATTACH, SEIZE, READ, PIDFD_GETFD = 16, 0x4206, 1, 438
SETATTR, IOPRIO_SET = {"x86_64": (314, 251), "aarch64": (274, 30)}[os.uname().machine]
ATTRIBUTES = (48).to_bytes(4, "little") + bytes(44)

def call(result):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))

def look(what):
    told = os.path.dirname(os.environ["CHECKPOINT_DB"]) + "/pid"
    if what == "pid":
        open(told, "w").write(str(os.getpid()))
        return os.getpid()
    sibling = int(open(told).read())
    folder = os.path.dirname(os.getcwd()) + "/process-0"
    seen = {
        "everybody": tried(lambda: os.kill(-1, signal.SIGKILL)),
        "folder": tried(lambda: os.listdir(folder)),
        "write": tried(lambda: open(folder + "/x", "w")),
    }
    for name, pid in {"sibling": sibling, "forkserver": os.getppid()}.items():
        seen[name] = {
            "kill": tried(lambda: os.kill(pid, signal.SIGKILL)),
            "stop": tried(lambda: os.kill(pid, signal.SIGSTOP)),
            "attach": tried(lambda: call(libc.ptrace(ATTACH, pid, 0, 0))),
            "seize": tried(lambda: call(libc.ptrace(SEIZE, pid, 0, 0))),
            "peek": tried(lambda: call(libc.ptrace(READ, pid, 0, 0))),
            "memory": tried(lambda: open(f"/proc/{pid}/mem", "rb")),
            "descriptors": tried(lambda: os.readlink(f"/proc/{pid}/fd/1")),
            "its channel": tried(lambda: call(libc.syscall(
                PIDFD_GETFD, os.pidfd_open(pid), 3, 0))),
            "its place": tried(lambda: os.sched_setaffinity(pid, {0})),
            "its turn": tried(lambda: os.sched_setscheduler(
                pid, os.SCHED_BATCH, os.sched_param(0))),
            "its parameters": tried(lambda: os.sched_setparam(
                pid, os.sched_param(0))),
            "its deadline": tried(lambda: call(libc.syscall(
                SETATTR, pid, ATTRIBUTES, 0))),
            "its priority": tried(lambda: os.setpriority(os.PRIO_PROCESS, pid, 19)),
            "its disk": tried(lambda: call(libc.syscall(IOPRIO_SET, 1, pid, 3 << 13))),
        }
    return seen
"""
# More folders inside each other than functions may call themselves.
DEEP = """
def look(what):
    for place in (os.getcwd(), "/dev/shm"):
        os.chdir(place)
        for _ in range(1100):
            os.mkdir("d")
            os.chdir("d")
        open("file", "w").close()
    return "deep"
"""

# It is there for as long as nobody stops it.
SHARES = """
import mmap, threading
shared = mmap.mmap(-1, 400 << 20)
for at in range(0, 400 << 20, 4096):
    shared[at] = 1
threading.Event().wait()
"""


def test_nobody_reaches_another_process(walled: Warm) -> None:
    """neither another process nor who forks it can be signalled, traced or read"""
    replies = look(walled, OTHERS, "pid", "others", "pid", processes=2)
    assert replies[2] == replies[0]  # process 0 is there, and answers
    seen = replies[1]
    for whom in ("sibling", "forkserver"):
        # Not that it is not there: that it is forbidden.
        assert set(map(str, seen.pop(whom).values())) == {"{'met': 'PermissionError'}"}
    assert seen.pop("everybody")  # of whom there is nobody
    assert all("met" in result for result in seen.values()), seen


def test_nobody_sets_limits_of_others(walled: Warm) -> None:
    """neither the forkserver's limits nor memory without an owner are to be had"""
    (seen,) = look(walled, REACHES, "a")
    assert all("met" in result for result in seen.values()), seen


def test_deep_folders(isolated: Warm) -> None:
    """who nests folders deeper than a program can call itself ends nothing"""
    scratch = isolated.harness.place.scratch
    before = {*scratch.iterdir()}
    assert look(isolated, DEEP, "a") == ["deep"]
    assert {*scratch.iterdir()} == before


def test_closed_folders_are_removed(tmp_path: Path) -> None:
    """a folder that its owner has closed goes, and what a link leads to stays"""
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    kept.mkdir()
    (gone / "a" / "b").mkdir(parents=True)
    (gone / "a" / "link").symlink_to(kept)
    (gone / "a" / "b" / "file").touch()
    (gone / "a").chmod(0)
    folders.empty(gone)
    assert list(gone.iterdir()) == []
    assert kept.is_dir()


def test_shared_memory_counts(isolated: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """memory that is made to be shared is a submission's memory like any other"""
    monkeypatch.setattr(tree, "TREE_MEMORY_LIMIT_B", 300 * limits.MIB)
    verdict = isolated.verdict(SHARES + ANSWERS)
    assert "memory (300 MiB)" in verdict.problem
