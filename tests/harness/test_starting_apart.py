"""A process that starts apart has its own hash seed, and is otherwise like any."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from grader.harness.fork_launcher import ForkLauncher
from grader.harness.launchers import shared
from grader.harness.order import shuffled
from grader.harness.tiers import best as best_tier
from grader.vocabulary import Scenario, process
from grader.vocabulary.outside import StartsApart
from tests.harness.conftest import Fresh
from tests.harness.small import Warm

HASHES = """
import contextlib, os, threading
def cmdline(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
        return open(f"/proc/{pid}/cmdline").read()
    return ""
def chat(thread_id, text):
    given = {"hash": str(hash("the same text")), "pid": str(os.getpid())}
    given["daemon"] = "started"
    if text == "daemon" and os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            threading.Event().wait()
        os._exit(0)
    if text == "cmdline":
        found = [cmdline(pid) for pid in os.listdir("/proc") if pid.isdigit()]
        return " ".join(line for line in found if "grader" in line)
    return given[text]
"""


@pytest.mark.parametrize("tier", [1, 2, 3])
@pytest.mark.parametrize("is_shared", [False, True])
def test_starts_apart(fresh: Fresh, tier: int, is_shared: bool) -> None:
    """whatever stands around it, its hash seed is its own; all others share one"""
    if tier < best_tier():
        pytest.skip(f"tier {tier} needs bubblewrap, or Landlock 6")
    with shared() as zygote:
        starts_apart(fresh(ForkLauncher(tier, zygote if is_shared else None)))


def starts_apart(warm: Warm) -> None:
    calls = [process(n).calls("chat", "{thread}", "hash") for n in range(3)]
    run = warm.history(HASHES, process(1).starts_apart(), *calls)
    first, apart, third = (reply.value for reply in run.replies)
    assert first == third != apart
    assert run.of("broken") == []


def test_keys_are_not_in_its_arguments(light: Warm) -> None:
    """other processes cannot read in its command line what only it is told"""
    run = light.history(
        HASHES,
        process(1).starts_apart(),
        process(0).calls("chat", "{thread}", "cmdline"),
    )
    assert "grader.harness.forkserver" in run.replies[0].value
    assert "sk-" not in run.replies[0].value
    assert "LEDGER_URL" not in run.replies[0].value


def test_is_killed_and_restarted_apart(light: Warm) -> None:
    """one that was started apart is killed like any other, and starts apart again"""
    text, calls = HASHES, process(1).calls("chat", "{thread}", "hash")
    others = process(0).calls("chat", "{thread}", "hash")
    apart = process(1).starts_apart()
    run = light.history(text, apart, others, calls, process(1).restarts(), calls)
    first, second, third = (reply.value for reply in run.replies)
    assert first not in (second, third)
    pid = process(1).calls("chat", "{thread}", "pid")
    run = light.history(text, apart, pid, process(1).is_killed(), pid)
    assert [reply.data.get("error") for reply in run.replies] == [None, "not_run"]
    assert not Path(f"/proc/{run.replies[0].value}").exists()


def test_the_second_forkserver_is_missed(fresh: Fresh) -> None:
    """when it is killed the harness breaks, and no submission is blamed for that"""
    one = fresh()
    steps = (process(1).starts_apart(), process(1).calls("chat", "a", "hash"))
    (reply,) = one.history(HASHES, *steps).replies
    assert reply.ok
    children = psutil.Process(one.harness.launcher.root_pid()).children()
    (second,) = (c for c in children if "grader.harness.forkserver" in c.cmdline())
    second.kill()
    verdict = one.verdict(HASHES, *steps)
    assert verdict.unknown
    assert "forkserver" in verdict.results[0].rationale


def test_who_is_interrupted_while_it_starts(fresh: Fresh) -> None:
    """a run that ends before the second forkserver is there breaks none after it"""
    one = fresh()
    launcher = one.harness.launcher
    assert isinstance(launcher, ForkLauncher)

    async def interrupted() -> None:
        asking = asyncio.create_task(launcher._apart())
        await asyncio.wait({asking}, timeout=0.05)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert asking.cancelled()

    one.run(interrupted())
    steps = (process(1).starts_apart(), process(1).calls("chat", "a", "hash"))
    assert one.history(HASHES, *steps).replies[0].ok


def test_what_starts_apart_leaves_nothing(fresh: Fresh) -> None:
    """its daemons end with the run, and so do all processes with the harness"""
    one = fresh()
    root = psutil.Process(one.harness.launcher.root_pid())
    steps = (process(1).starts_apart(), process(1).calls("chat", "a", "daemon"))
    (reply,) = one.history(HASHES, *steps).replies
    assert reply.ok
    left = root.children(recursive=True)
    assert len([c for c in left if c.ppid() != root.pid]) == 0
    one.run(one.harness.launcher.close())
    assert not psutil.wait_procs([root, *left], 20)[1]


def test_the_numbers_are_shuffled_with_it() -> None:
    """the process that starts apart is the same one among four shuffled ones"""
    steps = (process(1).starts_apart(), process(1).calls("chat", "a", "b"))
    for seed in range(20):
        moved = shuffled(Scenario("s", "some", steps), seed, 4).steps
        assert isinstance(moved[0], StartsApart)
        assert moved[0].process == moved[1].process  # type: ignore[union-attr]
