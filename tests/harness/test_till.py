"""Charges are events: they hold, fail and kill, and what was charged is counted."""

from __future__ import annotations

from typing import Any

import pytest

from grader.vocabulary import ledger, process, together
from grader.vocabulary.scenario import Step
from tests.harness.paying import PAYS, charged, pays
from tests.harness.small import Warm

IMPATIENT = PAYS.replace("SHORT = []", "SHORT = [1.0]")


def test_what_is_written_down(light: Warm) -> None:
    """a charge is an observation: who, which key, order and amount, and what came"""
    run = light.history(PAYS, pays(0), pays(1), pays(1, "other"))
    first, again, other = run.of("charge")
    assert charged(run) == [(0, True, 200), (1, False, 200), (1, True, 200)]
    thread = run.drawn.thread
    assert first.data | {"charge_id": ""} == {
        **{"event": "charge", "key": "k", "order": thread, "amount": 700},
        **{"charge_id": "", "new": True, "status": 200},
    }
    assert [r.value for r in run.replies] == [
        seen.data["charge_id"] for seen in (first, again, other)
    ]
    assert "700 for" in str(first)
    assert "charged before" in str(again)


def test_is_killed_when(light: Warm) -> None:
    """a process is killed after its charge is made, and another finds the charge"""
    run = light.history(
        PAYS, process(0).is_killed_when("charge", at_rest=True), pays(0), pays(1)
    )
    assert charged(run) == [(0, True, 200), (1, False, 200)]
    assert [reply.data.get("error") for reply in run.replies] == ["killed", None]
    (fault,) = run.of("fault")
    assert run.of("charge")[0].number < fault.number < run.replies[0].number


def test_nth(light: Warm) -> None:
    """a kill can wait for a later charge of its process"""
    run = light.history(
        PAYS, process(0).is_killed_when("charge", nth=2), pays(1), pays(0), pays(0)
    )
    killed = [reply.data.get("error") for reply in run.replies]
    assert killed == [None, None, "killed"]


def test_at_rest(light: Warm) -> None:
    """a kill at rest waits for what an OS thread of the process still does"""
    text = PAYS.replace(
        "def chat(thread_id, text):",
        """
import threading

def works():
    for _ in range(6_000_000):  # and lets the other OS thread pay meanwhile
        pass
    open(os.environ["CHECKPOINT_DB"] + ".done", "w").close()

def chat(thread_id, text):
    if text == "look":
        return str(os.path.exists(os.environ["CHECKPOINT_DB"] + ".done"))
    threading.Thread(target=works).start()
""",
    )
    run = light.history(
        text,
        process(0).is_killed_when("charge", at_rest=True),
        pays(0),
        pays(1, "look"),
    )
    assert run.replies[1].value == "True"


@pytest.mark.parametrize(
    ("step", "found"),
    [
        (ledger.fails(503), [(0, False, 503), (0, True, 200)]),
        (ledger.fails(500, charged=True), [(0, True, 500), (0, False, 200)]),
        (ledger.drops(), [(0, True, 0), (0, False, 200)]),
        (ledger.is_silent(), [(0, True, -1), (0, False, 200)]),
    ],
    ids=["before", "after", "hangs up", "silent"],
)
def test_failures(light: Warm, step: Step, found: list[Any]) -> None:
    """the next charge goes wrong as it is told, before or after; the one after, not"""
    text = IMPATIENT if step == ledger.is_silent() else PAYS
    run = light.history(text, step, pays(0), pays(0))
    assert charged(run) == found
    assert run.replies[1].value.startswith("ch_")
    assert not run.replies[0].value.startswith("ch_")


def test_together(light: Warm) -> None:
    """two charges made at once are both in before the ledger looks at either"""
    run = light.history(PAYS, together(pays(0), pays(1), held_at="charge"))
    first, second = run.of("charge")
    assert (first.data["new"], second.data["new"]) == (True, False)
    assert len({reply.value for reply in run.replies}) == 1
    (released,) = run.of("released")
    assert released.data["inside"] == 2
    assert max(s.number for s in run.of("held")) < released.number < first.number


def test_held_is_in_flight(light: Warm) -> None:
    """of two with one key at once the second is told so, until the first is decided"""
    text = (
        PAYS.replace("def chat", "def pay")
        + """
import queue, threading
answers = queue.Queue()

def chat(thread_id, text):
    if text == "two":
        for _ in range(2):
            send = lambda: answers.put(pay(thread_id, "k"))
            threading.Thread(target=send).start()
    return answers.get()
"""
    )
    held = process(0).calls("chat", "{thread}", "two"), ledger.releases("charge")
    run = light.history(text, ledger.holds("charge"), *held, pays(0, "the other"))
    assert charged(run) == [(0, False, 409), (0, True, 200)]
    assert [reply.value[:3] for reply in run.replies] == ["409", "ch_"]


def test_the_same_seed_gives_the_same_numbers(light: Warm) -> None:
    """charges are numbered from the seed, and other seeds give other numbers"""
    ids = [light.history(PAYS, pays(0), seed=s).replies[0].value for s in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


def test_in_a_sandbox(warm: Warm) -> None:
    """each process pays at a URL of its own, wherever it runs"""
    run = warm.history(PAYS, pays(0), pays(1))
    assert charged(run) == [(0, True, 200), (1, False, 200)]
