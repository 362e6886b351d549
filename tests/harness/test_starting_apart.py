"""A process that starts apart has its own hash seed, and is otherwise like any."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.harness.fork_launcher import ForkLauncher
from grader.harness.order import shuffled
from grader.harness.tiers import best as best_tier
from grader.vocabulary import Scenario, process
from grader.vocabulary.outside import StartsApart
from tests.harness.conftest import Fresh
from tests.harness.small import Warm

HASHES = """
import os, sys
def chat(thread_id, text):
    given = {"hash": str(hash("the same text")), "pid": str(os.getpid())}
    if text == "cmdline":
        return " ".join(
            open(f"/proc/{pid}/cmdline").read()
            for pid in os.listdir("/proc") if pid.isdigit()
            and "grader" in open(f"/proc/{pid}/cmdline").read()
        )
    return given[text]
"""


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_starts_apart(fresh: Fresh, tier: int) -> None:
    """whatever stands around it, its hash seed is its own; all others share one"""
    if tier < best_tier():
        pytest.skip(f"tier {tier} needs bubblewrap, or Landlock 6")
    warm = fresh(ForkLauncher(tier))
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
    assert "grader.harness.forked" in run.replies[0].value
    assert "sk-" not in run.replies[0].value
    assert "LEDGER_URL" not in run.replies[0].value


def test_is_killed_and_restarted_apart(light: Warm) -> None:
    """one that was started apart is killed like any other, and starts apart again"""
    text, calls = HASHES, process(1).calls("chat", "{thread}", "hash")
    others = process(0).calls("chat", "{thread}", "hash")
    apart = process(1).starts_apart()
    run = light.history(text, apart, others, calls, process(1).restarts(), calls)
    first, second, third = (reply.value for reply in run.replies)
    assert len({first, second, third}) == 3
    pid = process(1).calls("chat", "{thread}", "pid")
    run = light.history(text, apart, pid, process(1).is_killed(), pid)
    assert [reply.data.get("error") for reply in run.replies] == [None, "not_run"]
    assert not Path(f"/proc/{run.replies[0].value}").exists()


def test_the_numbers_are_shuffled_with_it() -> None:
    """the process that starts apart is the same one among four shuffled ones"""
    steps = (process(1).starts_apart(), process(1).calls("chat", "a", "b"))
    for seed in range(20):
        moved = shuffled(Scenario("s", "some", steps), seed, 4).steps
        assert isinstance(moved[0], StartsApart)
        assert moved[0].process == moved[1].process  # type: ignore[union-attr]
