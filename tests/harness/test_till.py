"""Charges are events: they hold, fail and kill, and what was charged is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.harness.fork_launcher import ForkLauncher
from grader.harness.order import shuffled
from grader.harness.tiers import best as best_tier
from grader.vocabulary import Run, Scenario, database, ledger, process, together
from grader.vocabulary.outside import StartsApart
from grader.vocabulary.scenario import Step
from tests.harness.conftest import Fresh
from tests.harness.small import Warm

# Pays with the standard library only; a thread's text is its idempotency key.
PAYS = """
import json, os, urllib.error, urllib.request

SHORT = []

def chat(thread_id, text):
    timeout = SHORT.pop() if SHORT else 20
    request = urllib.request.Request(
        os.environ["LEDGER_URL"] + "/charges",
        json.dumps({"order_id": thread_id, "amount": 700}).encode(),
        {"Idempotency-Key": text},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return json.load(response)["id"]
    except urllib.error.HTTPError as refused:
        return str(refused.code)
    except OSError as problem:
        return type(problem).__name__
"""
IMPATIENT = PAYS.replace("SHORT = []", "SHORT = [1.0]")
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


def pays(number: int, key: str = "k") -> Step:
    return process(number).calls("chat", "{thread}", key)


def charged(run: Run) -> list[tuple[int | None, bool, int]]:
    """Return who asked for each charge, whether it is new, and the answer's status."""
    return [(s.process, s.data["new"], s.data["status"]) for s in run.of("charge")]


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


STORES = (
    PAYS.replace("def chat", "def pay")
    + """
import signal, sqlite3, threading

def rows(statement=""):
    with sqlite3.connect(os.environ["CHECKPOINT_DB"], timeout=20) as base:
        base.execute("CREATE TABLE IF NOT EXISTS paid (id)")
        if statement:
            base.execute(statement)
        return base.execute("SELECT count(*) FROM paid").fetchone()[0]

def store():
    rows("INSERT INTO paid VALUES (1)")

def chat(thread_id, text):
    if text == "look":
        return str(rows())
    if text == "reads":
        before = rows()
        store()
        return str(before)
    rows()
    pay(thread_id, "k")
    if text == "waits":
        store()
        return "stored"
    storing = threading.Thread(target=store)
    storing.start()
    for _ in range(6_000_000):  # is busy, where a quick database has stored it soon
        if not storing.is_alive():
            break
    os.kill(os.getpid(), signal.SIGKILL)
"""
)


@pytest.mark.parametrize(("text", "rows"), [("waits", "1"), ("goes on", "0")])
def test_slow_database(light: Warm, text: str, rows: str) -> None:
    """after a charge the database takes no write from who goes on, and one from who
    waits for it"""
    slow = database.is_slow_after("charge")
    run = light.history(STORES, slow, pays(0, text), pays(1, "look"))
    assert run.replies[1].value == rows


def test_a_slow_database_is_read_by_all_before_one_of_them_writes(light: Warm) -> None:
    """two processes at once that read and then write have read the same"""
    reading = [pays(number, "reads") for number in (0, 1)]
    steps = pays(0, "look"), database.is_slow(), together(*reading), pays(0, "look")
    run = light.history(STORES, *steps)
    assert [reply.value for reply in run.replies] == ["0", "0", "0", "2"]
