"""Calls made together are held at an event until all of them are inside."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from grader.harness import patience
from grader.harness.journal import Journal, Recorder
from grader.harness.stores import SqliteStore
from grader.harness.world import World
from grader.vocabulary import (
    Scenario,
    draw,
    model,
    process,
    together,
)
from tests.harness.drafts import COUNTS, RUSH, SAYS, errors
from tests.harness.small import ASKS, Warm


def test_together(light: Warm) -> None:
    """calls made together are all inside the model at once, before any goes on"""
    run = light.history(ASKS, *SAYS, together(*RUSH, held_at="draft"))
    assert errors(run) == [None] * 4
    (released,) = run.of("released")
    assert (released.data["inside"], released.data["expected"]) == (4, 4)
    assert {seen.process for seen in run.of("held")} == {0, 1, 2, 3}
    first = min(seen.number for seen in run.of("answer"))
    assert max(seen.number for seen in run.of("held")) < released.number < first


def test_answered_in_an_order(light: Warm) -> None:
    """the model answers in the order that is asked for, each when one has returned"""
    order = (2, 0, 3, 1)
    run = light.history(ASKS, *SAYS, together(*RUSH, held_at="draft", answered=order))
    assert errors(run) == [None] * 4
    answers = run.of("answer")
    assert tuple(seen.process for seen in answers) == order
    returned = {reply.process: reply.number for reply in run.replies}
    for answer, then in pairwise(answers):
        assert returned[answer.process] < then.number


def test_an_order_of_those_who_are_in(light: Warm) -> None:
    """who is not let in while the others wait holds up nobody"""
    step = together(*RUSH, held_at="draft", answered=(3, 2, 1, 0))
    run = light.history(BEHIND_A_LOCK, *SAYS, step)
    assert errors(run) == [None] * 4
    (released,) = run.of("released")
    assert released.data["inside"] == 1


def test_an_order_names_each_call_once() -> None:
    """what is left out would wait for ever"""
    with pytest.raises(ValueError, match="expected each of 4 calls once"):
        together(*RUSH, held_at="draft", answered=(0, 1))


BEHIND_A_LOCK = (
    ASKS
    + """
import fcntl

def chat(thread_id, text):
    with open(os.environ["CHECKPOINT_DB"] + ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        return ask(text)
"""
)


def test_together_behind_a_lock(light: Warm) -> None:
    """a submission that lets in one at a time is let go after the limit, and seen"""
    run = light.history(BEHIND_A_LOCK, *SAYS, together(*RUSH, held_at="draft"))
    assert errors(run) == [None] * 4
    (released,) = run.of("released")
    assert (released.data["inside"], released.data["expected"]) == (1, 4)


def test_behind_a_lock_on_a_crowded_machine(
    light: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """once nothing moves it is let go, however long the machine stretches a limit:
    its own is 3 s, as that of a client may be"""
    monkeypatch.setattr(patience.Spent, "crowded_s", lambda self: 30.0)
    text = BEHIND_A_LOCK.replace("urlopen(request)", "urlopen(request, timeout=3)")
    run = light.history(text, *SAYS, together(*RUSH, held_at="draft"))
    assert errors(run) == [None] * 4


def test_together_without_the_model(light: Warm) -> None:
    """calls that never reach the event are not waited for"""
    run = light.history(COUNTS, together(*RUSH, held_at="draft"))
    assert errors(run) == [None] * 4
    assert run.of("held") == []


def test_together_in_one_process(light: Warm) -> None:
    """two calls made together in one process run in OS threads of their own"""
    calls = [process(0).calls("chat", f"{{thread_{n}}}", "[draft]") for n in (0, 1)]
    run = light.history(ASKS, *SAYS, together(*calls, held_at="draft"))
    (released,) = run.of("released")
    assert (released.data["inside"], errors(run)) == (2, [None, None])


def test_holds_and_releases(tmp_path: Path) -> None:
    """a held request waits until it is released; a later one is not held"""
    scenario = Scenario("only", "d", ())
    journal = Journal(tmp_path / "history.jsonl", "ex99", 1, 0)
    recorder = Recorder(journal, scenario, draw(scenario, 1))
    world = World(recorder, 1, SqliteStore(tmp_path / "checkpoints.db"))
    world.script.apply(model.says("draft", "[draft]", "drafted"))
    request = {"messages": [{"role": "user", "content": "[draft] hi"}]}

    async def ask() -> list[str]:
        world.hold("draft")
        asked = asyncio.ensure_future(world.asked(0, request))
        while not recorder.run().of("held"):
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not asked.done()
        world.release("draft")
        return [(await asked).text, (await world.asked(0, request)).text]

    assert asyncio.run(ask()) == ["drafted", "drafted"]
    journal.close()
    (held,) = recorder.run().of("held")
    assert [a.number > held.number for a in recorder.run().of("answer")] == [True, True]


def test_held_call(light: Warm) -> None:
    """a call that nobody releases ends by its own limit, and is a hang"""
    run = light.history(
        ASKS,
        *SAYS,
        model.holds("draft"),
        process(0).calls("chat", "{thread}", "[draft]"),
        model.releases("draft"),
        process(1).calls("chat", "{thread}", "[draft]"),
    )
    assert errors(run) == ["hang", None]
    assert [seen.process for seen in run.of("held")] == [0]
