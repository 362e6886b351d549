"""The long form of the game day, on a small scale: faults come, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader import traffic
from grader.harness.harness import Harness
from grader.harness.launch import GraderBroke
from grader.harness.launchers import best_launcher
from grader.harness.process import Process
from grader.vocabulary import Observation

CORPUS = Path(__file__).parents[1] / "submissions" / traffic.STEM
EVERY = {"kill": 8, "drop": 13, "fail": 11}
Send = Callable[[str], traffic.Outcome]


@pytest.fixture(scope="module")
def send() -> Iterator[Send]:
    """Return what sends eight conversations of four turns to a submission."""
    day = traffic.exercise(conversations=8, turns=4, every=EVERY)
    with asyncio.Runner() as loop:
        harness = Harness(best_launcher())
        loop.run(harness.__aenter__())

        def sent(name: str) -> traffic.Outcome:
            text = (CORPUS / name).read_text("utf-8")
            return loop.run(traffic.run(harness, text, day, seed=4711))

        yield sent
        loop.run(harness.__aexit__(None, None, None))


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_doubled(send: Send) -> None:
    """with kills, drops and a failing model each request is answered in the end, each
    word is known and each order charged once; faults come by the count of answers"""
    outcome = send("right/solution.py")
    assert outcome.problems == ()
    assert (outcome.requests, outcome.orders) == (32, 8)
    assert outcome.faults["killed"] == 32 // EVERY["kill"]
    assert outcome.faults["connections dropped"] == 32 // EVERY["drop"]
    failed = outcome.attempts - outcome.requests
    assert failed == sum(outcome.errors.values())
    assert f"{outcome.recovered} requests were answered when" in str(outcome)


@pytest.mark.slow
def test_what_is_lost_is_said(send: Send) -> None:
    """a process that answers from its own memory loses what another one was told"""
    outcome = send("wrong/cached_conversation.py")
    assert any("lost what it was told" in text for text in outcome.problems)
    assert f"{len(outcome.problems)} problems" in str(outcome)


@pytest.mark.slow
def test_a_server_that_does_not_start_again(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    """where the machine cannot start a server again, the day ends and says so"""
    start = Process.start

    async def refused(self: Process, restarted: bool = False) -> Observation | None:
        if restarted:
            raise GraderBroke("no process can be started")
        return await start(self)

    monkeypatch.setattr(Process, "start", refused)
    with pytest.raises(GraderBroke, match="no process can be started"):
        send("right/solution.py")
