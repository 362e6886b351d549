"""However a sandbox ends, no process and no file of it is left."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from grader.harness import tiers
from grader.harness.fork_launcher import ForkLauncher
from grader.sandbox import bubblewrap
from tests.harness.living import (
    LIMIT_S,
    command,
    is_zygote,
    leftovers,
    survivors,
    tree,
)
from tests.harness.small import LIGHT, Warm
from tests.sandbox.conftest import needed

LOOKS = int(LIMIT_S / 0.02)
STEM = "ex04_memory_saver"
ANSWERS = "def chat(thread_id, text):\n    return 'a'\n"

# Leaves a daemon that has left its parents, its session and its environment, and that
# ignores what can be ignored; then says so in a file, and hangs.
HANGS = """
import os, signal, sys, threading

def chat(thread_id, text):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            waits = "import threading; open('daemon', 'w'); threading.Event().wait()"
            os.execve(sys.executable, [sys.executable, "-c", waits], {})
        os._exit(0)
    os.wait()
    open("hangs", "w").close()
    threading.Event().wait()

def resume(thread_id):
    return ""
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder for temporary files, so that what is left in it is this test's."""
    needed(tiers.ISOLATED)
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def checking(scratch: Path) -> Iterator[subprocess.Popen[str]]:
    """The command line, checking in a sandbox what hangs and has left a daemon."""
    file = scratch.parent / "hangs.py"
    file.write_text(HANGS)
    running = command("check", file, "--exercise", STEM, folder=scratch, tier=1)
    yield running
    if running.poll() is None:
        running.kill()
    running.communicate()


def everything(checking: subprocess.Popen[str], scratch: Path) -> list[psutil.Process]:
    """Wait until the daemon is there and its process hangs; return all that runs."""
    # The command's own view: its scratch folder may be memory that only it sees.
    seen = Path(f"/proc/{checking.pid}/root{scratch}")
    for _ in range(LOOKS):
        with contextlib.suppress(FileNotFoundError):  # a folder gets another name
            if all(any(seen.rglob(name)) for name in ("daemon", "hangs")):
                return tree(checking.pid)
        assert checking.poll() is None, checking.communicate()
        select.select([], [], [], 0.02)
    raise AssertionError("the submission has not come so far")


def named(processes: list[psutil.Process], part: str) -> psutil.Process:
    """Return the process whose command has a part of that name."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended since
            if any(part in word for word in process.cmdline()):
                return process
    raise AssertionError(f"no process has {part} in its command")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_ended_command(
    checking: subprocess.Popen[str], scratch: Path, how: signal.Signals
) -> None:
    """the end of the command is the end of its sandbox, its daemons and its folder"""
    found = everything(checking, scratch)
    assert len(found) > 7  # command, guard, bubblewrap, zygote, forkserver, processes
    checking.send_signal(how)
    checking.communicate(timeout=LIMIT_S)
    assert not survivors(found)
    assert leftovers(scratch) == []


def part(below: list[psutil.Process], whom: str) -> psutil.Process:
    """Return a part of the sandbox among what a command has started."""
    if whom in ("guard.py", "bwrap"):
        return named(below, whom)
    if whom == "first":  # what waits in the sandbox from its start
        (outer,) = named(below, "guard.py").children()
        (inner,) = outer.children()
        (first,) = inner.children()
        return first
    # There is a second one, for another hash seed, which has forked nobody yet.
    tops = [p for p in below if is_zygote(p) and not is_zygote(p.parent())]
    ((zygote, waits),) = [(top, child) for top in tops for child in top.children()]
    (forkserver,) = waits.children()
    forwarder = min(forkserver.children(), key=lambda p: p.create_time())
    return {
        "zygote": zygote,
        "waits": waits,
        "forkserver": forkserver,
        "forwarder": forwarder,
    }[whom]


@pytest.mark.parametrize(
    "whom", ["guard.py", "bwrap", "first", "waits", "forkserver", "forwarder"]
)
def test_killed_part(checking: subprocess.Popen[str], scratch: Path, whom: str) -> None:
    """without one of its parts a sandbox ends whole, and nothing is judged"""
    found = everything(checking, scratch)
    part([p for p in found if p.pid != checking.pid], whom).kill()
    out, _ = checking.communicate(timeout=LIMIT_S)
    assert checking.returncode == 3, out
    assert not survivors(found)
    assert leftovers(scratch) == []


def test_killed_zygote(checking: subprocess.Popen[str], scratch: Path) -> None:
    """who has entered a sandbox needs nobody outside; the end is the command's"""
    found = everything(checking, scratch)
    zygote = part([p for p in found if p.pid != checking.pid], "zygote")
    zygote.kill()
    assert not survivors([zygote])
    assert checking.poll() is None
    checking.send_signal(signal.SIGINT)
    checking.communicate(timeout=LIMIT_S)
    assert not survivors(found)
    assert leftovers(scratch) == []


def test_both_guards_killed(checking: subprocess.Popen[str], scratch: Path) -> None:
    """what no guard could remove goes when the next harness starts"""
    found = everything(checking, scratch)
    guard = named(found[1:], "guard.py")
    guard.suspend()
    checking.kill()
    checking.communicate(timeout=LIMIT_S)
    guard.kill()
    assert not survivors(found)
    (left,) = leftovers(scratch)
    one = Warm(ForkLauncher(tiers.ISOLATED), LIGHT, scratch)
    try:
        assert leftovers(scratch) == [one.harness.folder.name]
        assert left != one.harness.folder.name
        assert one.verdict(ANSWERS).passed
    finally:
        one.close()
    assert leftovers(scratch) == []


def test_own_user(scratch: Path) -> None:
    """as root, each sandbox has a user of its own, whom nobody has afterwards"""
    if os.getuid():
        pytest.skip("only root can become others")
    one = Warm(ForkLauncher(tiers.ISOLATED), LIGHT, scratch)
    other = Warm(ForkLauncher(tiers.ISOLATED), LIGHT, scratch)
    try:
        owners = [w.harness.launcher.owner for w in (one, other)]
        roots = [psutil.Process(w.harness.launcher.root_pid()) for w in (one, other)]
        assert [process.uids().real for process in roots] == owners
        assert len({0, *owners}) == 3
    finally:
        one.close()
        other.close()
    assert not [p for p in psutil.process_iter(["uids"]) if p.uids().real in owners]


def test_a_user_of_its_own() -> None:
    """no sandbox is given the user of one that this process has open still"""
    if not bubblewrap.others():
        pytest.skip("only root can become others")
    first = tiers.Tier(tiers.ISOLATED)
    later = [tiers.Tier(tiers.ISOLATED) for _ in range(20)]
    assert len({tier.owner for tier in (first, *later)}) == 1 + len(later)
    for _ in range(tiers.UIDS_A_PROCESS):
        assert tiers.Tier(tiers.ISOLATED).owner not in {first.owner, later[-1].owner}
