"""Who enters a sandbox from outside brings nothing in, and keeps no right."""

from __future__ import annotations

import ast
import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from grader.harness import tiers
from grader.harness.launch import PACKAGE_ROOT
from grader.sandbox import bubblewrap
from grader.vocabulary import process
from tests.harness.living import LIMIT_S
from tests.harness.small import Warm
from tests.sandbox.conftest import needed

OPENS_ITSELF = """
import os

def chat(thread_id, text):
    return str(os.listdir("/proc/self/fd"))
"""
SEEN = """
import os

def chat(thread_id, text):
    if text == "status":
        return open("/proc/self/status").read()
    if text == "files":
        kinds = [os.fstat(int(n)) for n in os.listdir("/proc/self/fd") if known(n)]
        return repr([(each.st_dev, each.st_ino) for each in kinds])
    spaces = os.listdir("/proc/self/ns")
    return repr({n: os.stat(f"/proc/self/ns/{n}").st_ino for n in spaces})

def known(number):
    return os.path.lexists(f"/proc/self/fd/{number}")
"""
# Tries what ends or opens a process, on all that there are.
ENDS = """
import os, signal

def chat(thread_id, text):
    got = []
    others = [int(n) for n in os.listdir("/proc") if n.isdigit()]
    for pid in sorted(set(others) - {os.getpid()}):
        tries = {
            "kill": lambda: os.kill(pid, signal.SIGKILL),
            "stop": lambda: os.kill(pid, signal.SIGSTOP),
            "root": lambda: os.listdir(f"/proc/{pid}/root/"),
            "cwd": lambda: os.listdir(f"/proc/{pid}/cwd/"),
            "fd": lambda: os.readlink(f"/proc/{pid}/fd/1"),
            "mem": lambda: open(f"/proc/{pid}/mem", "rb"),
            "environ": lambda: open(f"/proc/{pid}/environ").read(),
            "ns": lambda: open(f"/proc/{pid}/ns/mnt"),
        }
        for name, trial in tries.items():
            try:
                trial()
            except OSError:
                continue
            got.append((pid, name))
    return repr([len(others), got])
"""
SAYS = """
import os, sys

def chat(thread_id, text):
    told = [open(f"/proc/self/{name}").read() for name in ("environ", "cmdline")]
    told.append(dict(os.environ))
    return repr([told, sys.path, sys.modules["grader"].__path__])
"""
RIGHTS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
# Judges one answer in a sandbox; run by a user without any right outside.
AS_A_USER = """
import os, sys
from pathlib import Path
from grader.harness.fork_launcher import ForkLauncher
from tests.harness.small import LIGHT, Warm
assert os.getuid() == 1000
one = Warm(ForkLauncher(1), LIGHT, Path(sys.argv[1]))
print(one.harness.tier, one.harness.got_through, one.verdict(sys.argv[2]).passed)
status = Path(f"/proc/{one.harness.launcher.root_pid()}/status").read_text()
print(status.partition("CapEff:")[2].split()[0])
one.close()
"""


def status(pid: int | str) -> dict[str, str]:
    """Return what Linux says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return {name: value.strip() for name, _, value in (x.partition(":") for x in lines)}


def test_no_right_is_left(isolated: Warm) -> None:
    """neither a submission's process nor who forks it can get any right again"""
    run = isolated.history(SEEN, process(0).calls("chat", "a", "status"))
    lines = str(run.replies[0].value).splitlines()
    inside = {n: v.strip() for n, _, v in (line.partition(":") for line in lines)}
    forkserver = status(isolated.harness.launcher.root_pid())
    for found in (inside, forkserver):
        assert [int(found[name], 16) for name in RIGHTS] == [0] * len(RIGHTS)
        assert found["NoNewPrivs"] == "1"
    waits = psutil.Process(isolated.harness.launcher.root_pid()).ppid()
    assert int(status(waits)["CapEff"], 16) == 0
    if not os.getuid():
        uids = {*forkserver["Uid"].split(), *forkserver["Gid"].split()}
        assert uids == {str(isolated.harness.launcher.owner)}
        assert forkserver["Groups"] == ""


def test_whoever_is_inside_is_out_of_reach(isolated: Warm) -> None:
    """neither who waits in the sandbox nor who enters it later can be got at"""
    asked = [process(n).calls("chat", "a", "b") for n in (1, 0)]
    run = isolated.history(ENDS, process(1).starts_apart(), *asked)
    for reply in run.replies:
        count, got = ast.literal_eval(str(reply.value))
        assert count > 5  # bubblewrap, what waits, two forkservers, the forwarder
        assert got == []


def test_it_does_not_say_where_the_grader_is(isolated: Warm) -> None:
    """what it was started with names no folder of ours, and what it has is inside"""
    run = isolated.history(SAYS, process(0).calls("chat", "a", "b"))
    said = str(run.replies[0].value)
    assert bubblewrap.GRADER in said
    assert PACKAGE_ROOT not in said.replace(sys.prefix, "")


def test_it_is_in_all_of_the_namespaces(isolated: Warm) -> None:
    """who has entered shares no namespace with us that the sandbox does not share"""
    run = isolated.history(SEEN, process(0).calls("chat", "a", "namespaces"))
    inside = ast.literal_eval(str(run.replies[0].value))
    for name in ("ipc", "mnt", "net", "pid", "pid_for_children", "uts"):
        assert inside[name] != os.stat(f"/proc/self/ns/{name}").st_ino


def test_nothing_is_open(isolated: Warm) -> None:
    """a submission's process holds no file that the zygote has, and none of ours"""
    run = isolated.history(SEEN, process(0).calls("chat", "a", "files"))
    inside = set(ast.literal_eval(str(run.replies[0].value)))
    held = set()
    waits = psutil.Process(isolated.harness.launcher.root_pid()).ppid()
    for pid in (os.getpid(), waits, psutil.Process(waits).ppid()):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):  # what has listed them
                found = os.stat(f"/proc/{pid}/fd/{name}")
                held.add((found.st_dev, found.st_ino))
    nowhere = os.stat(os.devnull)
    held.discard((nowhere.st_dev, nowhere.st_ino))
    assert not inside & held


def test_as_an_ordinary_user(tmp_path: Path) -> None:
    """who is not root enters a sandbox too, and nothing gets through it"""
    needed(tiers.ISOLATED)
    if shutil.which("unshare") is None:
        pytest.skip("the program unshare, of the system package util-linux, is missing")
    user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    ran = subprocess.run(
        [*user, sys.executable, "-c", AS_A_USER, str(tmp_path), OPENS_ITSELF],
        capture_output=True,
        text=True,
        timeout=LIMIT_S * 3,
        env={**os.environ, "PYTHONPATH": PACKAGE_ROOT},
    )
    if "unshare" in ran.stderr:
        pytest.skip("this machine lets nobody have a user namespace")
    assert ran.stdout.split() == ["1", "{}", "True", "0" * 16], ran.stderr
