"""Steps happen in order, and faults at an event, never by the clock."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from grader.harness import limits
from grader.harness.journal import Journal, Recorder
from grader.harness.stores import SqliteStore
from grader.harness.world import World
from grader.vocabulary import (
    Drawn,
    Observation,
    Run,
    Scenario,
    draw,
    model,
    process,
    together,
)
from grader.vocabulary import restart_all as restart
from tests.harness.small import ASKS, Warm

SAYS = (
    model.says("draft", "[draft]", "{answer} (draft {ref})"),
    model.says("polish", "[polish]", "{prompt} (polished {ref})"),
)
COUNTS = """
count = 0
def chat(thread_id, text):
    global count
    count += 1
    return f"{text} {count}"
"""
# Stores the answer to [draft] as a saver would, or does not.
STORES = (
    ASKS
    + """
import sqlite3

def chat(thread_id, text):
    drafted = ask("[draft] " + text)
    if text == "stores":
        with sqlite3.connect(os.environ["CHECKPOINT_DB"]) as database:
            database.execute("CREATE TABLE checkpoints (checkpoint BLOB)")
            database.execute("INSERT INTO checkpoints VALUES (?)", [drafted.encode()])
    return ask("[polish] " + drafted)
"""
)
RUSH = tuple(process(n).calls("chat", f"{{thread_{n}}}", "[draft]") for n in range(4))


def kinds(run: Run, *wanted: str) -> list[tuple[str, int | None]]:
    return [(s.kind, s.process) for s in run.observations if s.kind in wanted]


def errors(run: Run) -> list[str | None]:
    return [reply.data.get("error") for reply in run.replies]


def test_is_killed(light: Warm) -> None:
    """a killed process is gone before the next step, and is not called any more"""
    run = light.history(
        "import os\ndef chat(thread_id, text):\n"
        "    if text == 'pid': return str(os.getpid())\n"
        "    try: os.kill(int(text), 0)\n"
        "    except ProcessLookupError: return 'gone'\n    return 'there'\n",
        process(0).calls("chat", "{thread}", "pid"),
        process(0).is_killed(),
        process(0).calls("chat", "{thread}", "pid"),
        process(1).calls("chat", "{thread}", "pid"),
    )
    assert errors(run) == [None, "not_run", None]
    (fault,) = run.of("fault")
    assert (fault.process, fault.data["what"]) == (0, "killed")
    assert kinds(run, "exit") == []  # it was killed: it did not end by itself


def test_is_dead_before_the_next_step(light: Warm) -> None:
    """the next step can already take what the killed process held"""
    text = """
    import fcntl, os
    file = open(os.environ["CHECKPOINT_DB"] + ".lock", "w")
    def chat(thread_id, text):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return "mine"
    """
    run = light.history(
        text,
        process(0).calls("chat", "{thread}", "a"),
        process(0).is_killed(),
        process(1).calls("chat", "{thread}", "a"),
        process(1).is_killed(),
        process(2).calls("chat", "{thread}", "a"),
    )
    assert errors(run) == [None, None, None]


def test_is_killed_when(light: Warm) -> None:
    """a process is killed while its request for the event is open, unanswered"""
    run = light.history(
        STORES,
        *SAYS,
        process(0).is_killed_when("polish"),
        process(0).calls("chat", "{thread}", "a"),
        process(1).calls("chat", "{thread}", "a"),
    )
    assert errors(run) == ["killed", None]
    assert [seen.process for seen in run.of("model", "polish")] == [0, 1]
    assert [seen.process for seen in run.of("answer", "polish")] == [1]
    (fault,) = run.of("fault")
    assert (fault.data["event"], fault.data["stored"]) == ("polish", None)
    assert fault.number < run.replies[0].number < run.of("call")[1].number


@pytest.mark.parametrize(("text", "stored"), [("stores", True), ("forgets", False)])
def test_once_stored(light: Warm, text: str, stored: bool) -> None:
    """a kill waits until the step before it is stored, and not for ever"""
    run = light.history(
        STORES,
        *SAYS,
        process(0).is_killed_when("polish", once_stored="draft"),
        process(0).calls("chat", "{thread}", text),
    )
    assert errors(run) == ["killed"]
    assert [fault.data["stored"] for fault in run.of("fault")] == [stored]


def test_kill_that_never_comes(light: Warm) -> None:
    """a process that never asks for the event is not killed"""
    run = light.history(
        COUNTS,
        process(0).is_killed_when("polish"),
        process(0).calls("chat", "{thread}", "a"),
    )
    assert (errors(run), run.of("fault")) == ([None], [])


def test_restarts(light: Warm) -> None:
    """a restarted process ends in order: OS threads are awaited, exit functions run"""
    text = """
    import atexit, os, threading
    there = os.path.dirname(os.environ["CHECKPOINT_DB"])
    asked = threading.Event()

    def note(what):
        with open(there + "/notes", "a") as file:
            file.write(what + " ")

    def wait():
        main = threading.main_thread()
        main.join()
        note("thread")

    def chat(thread_id, text):
        if text == "read":
            return open(there + "/notes").read()
        atexit.register(note, "exit")
        threading.Thread(target=wait).start()
        return "set"
    """
    run = light.history(
        text,
        process(0).calls("chat", "{thread}", "set"),
        process(0).restarts(),
        process(0).calls("chat", "{thread}", "read"),
    )
    assert [reply.value for reply in run.replies] == ["set", "thread exit "]
    assert [s.data["restarted"] for s in run.of("start")] == [False, True]


def test_restart_of_all(light: Warm) -> None:
    """all processes have stopped before any of them starts again, and memory is new"""
    run = light.history(
        COUNTS,
        *[process(n).calls("chat", "{thread}", "a") for n in (0, 1)],
        restart(2),
        *[process(n).calls("chat", "{thread}", "a") for n in (0, 1)],
    )
    assert [reply.value for reply in run.replies] == ["a 1"] * 4
    told = [s.number for s in run.of("fault")]
    again = [s.number for s in run.of("start") if s.data["restarted"]]
    assert max(told) < min(again)


def test_restart_that_hangs(light: Warm) -> None:
    """a process that does not stop when asked is killed, and that is written down"""
    text = """
    import threading
    def chat(thread_id, text):
        threading.Thread(target=threading.Event().wait).start()
        return "a"
    """
    calls = process(0).calls("chat", "{thread}", "a")
    run = light.history(text, calls, process(0).restarts(), calls)
    assert errors(run) == [None, None]
    assert [seen.data["what"] for seen in run.of("limit")] == ["stop"]


def test_together(light: Warm) -> None:
    """calls made together are all inside the model at once, before any goes on"""
    run = light.history(ASKS, *SAYS, together(*RUSH, held_at="draft"))
    assert errors(run) == [None] * 4
    (released,) = run.of("released")
    assert (released.data["inside"], released.data["expected"]) == (4, 4)
    assert {seen.process for seen in run.of("held")} == {0, 1, 2, 3}
    first = min(seen.number for seen in run.of("answer"))
    assert max(seen.number for seen in run.of("held")) < released.number < first


def test_together_behind_a_lock(light: Warm) -> None:
    """a submission that lets in one at a time is let go after the limit, and seen"""
    text = (
        ASKS
        + """
import fcntl

def chat(thread_id, text):
    with open(os.environ["CHECKPOINT_DB"] + ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        return ask(text)
"""
    )
    run = light.history(text, *SAYS, together(*RUSH, held_at="draft"))
    assert errors(run) == [None] * 4
    (released,) = run.of("released")
    assert (released.data["inside"], released.data["expected"]) == (1, 4)


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


@pytest.mark.parametrize("status", [401, 429, 500, 0])
def test_fails(light: Warm, status: int) -> None:
    """the model fails as often as it is told to, and then answers again"""
    run = light.history(
        ASKS,
        *SAYS,
        model.fails("draft", status, times=2),
        *[process(0).calls("chat", "{thread}", "[draft]") for _ in range(3)],
    )
    dropped, refused = "RemoteDisconnected", "HTTPError"
    error = refused if status else dropped
    assert errors(run) == [error, error, None]
    statuses = [seen.data["status"] for seen in run.of("answer", "draft")]
    assert statuses == [status, status, 200]


def test_numbers(light: Warm) -> None:
    """every observation has a number of its own, in the order of writing and of time"""
    run = light.history(ASKS, *SAYS, together(*RUSH, held_at="draft"), *RUSH)
    numbers = [seen.number for seen in run.observations]
    assert numbers == list(range(1, len(numbers) + 1))
    times = [seen.at_ms for seen in run.observations]
    assert times == sorted(times)


def lines(run: Run) -> list[str]:
    """What the run's calls, replies and model said, without their numbers."""
    told = [s for s in run.observations if s.kind in {"call", "reply", "answer"}]
    return [str(seen).partition(" ")[2] for seen in told]


def test_replay(light: Warm) -> None:
    """one seed draws the same values and the same references; another seed, others"""
    one, same, other = (light.history(ASKS, seed=seed) for seed in (1, 1, 2))
    assert one.drawn == same.drawn
    assert lines(one) == lines(same)
    assert lines(one) != lines(other)
    assert set(one.drawn.values.values()).isdisjoint(other.drawn.values.values())


def test_shuffled_processes(light: Warm) -> None:
    """with four processes the numbers are the seed's, and replies keep their order"""
    chats = [process(n).calls("chat", "{thread}", f"call {n}") for n in (0, 1)]
    plain = light.history(COUNTS, *chats)
    assert [call.process for call in plain.of("call")] == [0, 1]
    found = set()
    for seed in range(6):
        run = light.history(COUNTS, *chats, seed=seed, processes=4)
        assert len(run.of("start")) == 4
        assert [reply.value for reply in run.replies] == ["call 0 1", "call 1 1"]
        found.add(tuple(call.process for call in run.of("call")))
    assert len(found) > 1


def test_observations_limit(light: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """past the limit nothing more is kept, and the run goes on"""
    monkeypatch.setattr("grader.harness.journal.OBSERVATIONS_LIMIT", 5)
    run = light.history(ASKS)
    assert [seen.number for seen in run.observations] == [1, 2, 3, 4, 5]


def test_observation_is_frozen(light: Warm) -> None:
    """an observation and what was drawn cannot be changed afterwards"""
    run = light.history(COUNTS)
    with pytest.raises(AttributeError):
        run.observations[0].number = 7  # type: ignore[misc]
    assert isinstance(run.observations[0], Observation)
    assert isinstance(run.drawn, Drawn)
    assert len(run.observations) < limits.OBSERVATIONS_LIMIT
