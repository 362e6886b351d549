"""A start on an empty database, and a stall, are forced by events and seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.harness import rush
from grader.vocabulary import Exercise, Run, database, process, together
from grader.vocabulary.exercise import POSTGRES, SQLITE
from grader.vocabulary.scenario import Step
from tests.harness.conftest import Fresh
from tests.harness.postgres import short_folder
from tests.harness.small import CONTRACT, Warm

CONNECTS = """
import os, psycopg, threading

def connected():
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)

def make(connection):
    connection.execute("CREATE TABLE IF NOT EXISTS checkpoint_migrations (v int)")

def chat(thread_id, text):
    with connected() as connection:
        connection.execute("SELECT count(*) FROM checkpoint_migrations")
    return text
"""
RACES = f"{CONNECTS}\nmake(connected())\n"
WITH_A_CALL = CONNECTS.replace(
    "as connection:\n", "as connection:\n        make(connection)\n"
)
ASKS = f"""{CONNECTS}
with connected() as own:
    while not own.execute("SELECT pg_try_advisory_lock(1)").fetchone()[0]:
        threading.Event().wait(0.01)
    make(own)
"""
LOCKS = f"""{CONNECTS}
with connected() as own:
    own.execute("SELECT pg_advisory_lock(1)")
    make(own)
"""
IGNORES = "def chat(thread_id, text):\n    return text\n"
PAUSES = f"import threading\nthreading.Event().wait(0.6)\n{IGNORES}"
FOUR = tuple(process(n).calls("chat", f"{{thread_{n}}}", "hello") for n in range(4))
START = (database.starts_empty(("checkpoint_migrations",)), together(*FOUR))


@pytest.fixture(scope="module")
def one() -> Iterator[Warm]:
    """One harness with a throw-away server, for all of these."""
    from grader.harness.fork_launcher import ForkLauncher

    with short_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        made = Warm(ForkLauncher(), ("json", "grader.harness.worker"), folder)
        yield made
        made.close()


def ran(one: Warm, text: str, *steps: Step, kind: str = POSTGRES) -> Run:
    """Run one scenario of these steps."""
    made = Exercise("A small one", CONTRACT, ("Read.",), database=kind)
    made.scenario("only", "something happens", *steps)
    return one.histories(text, made).runs["only"]


def queue(run: Run) -> dict[int | None, tuple[str, list[int]]]:
    """Return what each process did before the table was given back."""
    return {s.process: (s.data["how"], s.data["behind"]) for s in run.of("queue")}


def gathered(run: Run) -> list[tuple[int, int]]:
    return [(s.data["inside"], s.data["expected"]) for s in run.of("released")]


@pytest.mark.parametrize("text", [RACES, WITH_A_CALL], ids=["import", "first call"])
def test_a_race_that_is_forced(one: Warm, text: str) -> None:
    """all processes wait for the table, one makes it, and all others are refused"""
    run = ran(one, text, *START)
    assert queue(run) == {n: ("waits", []) for n in range(4)}
    assert gathered(run) == [(4, 4)]
    refused = [*run.of("broken"), *(r for r in run.replies if not r.ok)]
    errors = [seen.data["error"] for seen in refused]
    assert errors.count("UniqueViolation") == 3
    assert sum(reply.ok for reply in run.replies) == 1


def test_who_asks_again_does_not_wait(one: Warm) -> None:
    """who polls for a lock is seen to ask, and all of them answer"""
    run = ran(one, ASKS, *START)
    assert sorted(how for how, _ in queue(run).values()) == ["asks"] * 3 + ["waits"]
    assert gathered(run) == [(1, 4)]
    assert all(reply.ok for reply in run.replies)


def test_who_is_held_up_is_not_out_of_time(
    one: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """an import that we hold up for longer than its limit is given its time after it"""
    monkeypatch.setattr(rush, "REPEATED", 15)
    monkeypatch.setattr("grader.harness.process.IMPORT_LIMIT_S", 1.0)
    run = ran(one, ASKS.replace("0.01", "0.1"), *START)
    assert gathered(run) == [(1, 4)]
    assert all(reply.ok for reply in run.replies)


def test_who_waits_for_whom(one: Warm) -> None:
    """a lock that is waited for names the process that holds it"""
    run = ran(one, LOCKS, *START)
    found = queue(run)
    (holder,) = (n for n, (_, behind) in found.items() if not behind)
    assert all(holder in behind for n, (_, behind) in found.items() if n != holder)
    assert all(reply.ok for reply in run.replies)
    told = next(str(s) for s in run.of("queue") if s.data["behind"])
    assert "waits for a lock of process" in told


def test_nobody_comes(one: Warm) -> None:
    """processes that need no table are not held up, and nothing is given back"""
    run = ran(one, IGNORES, *START)
    assert all(reply.ok for reply in run.replies)
    assert (queue(run), gathered(run)) == ({}, [])


def test_who_neither_waits_nor_ends(one: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """a process that does something else is waited for, and not for ever"""
    monkeypatch.setattr(rush, "STORED_LIMIT_S", 0.1)
    run = ran(one, PAUSES, *START)
    assert all(reply.ok for reply in run.replies)
    assert gathered(run) == [(0, 4)]


def test_empty_for_this_scenario_alone(one: Warm) -> None:
    """no table is there at such a start, and LangGraph's are in the other scenarios"""
    text = (
        CONNECTS
        + "\ndef chat(thread_id, text):\n"
        + (
            "    query = 'SELECT count(*) FROM pg_tables WHERE schemaname = %s'\n"
            "    with connected() as own:\n"
            "        return str(own.execute(query, ['public']).fetchone()[0])\n"
        )
    )
    made = Exercise("A small one", CONTRACT, ("Read.",), database=POSTGRES)
    made.scenario("empty", "a start", *START)
    made.scenario("other", "a call", process(0).calls("chat", "{thread}", "a"))
    runs = one.histories(text, made).runs
    assert {reply.value for reply in runs["empty"].replies} == {"0"}
    assert [reply.value for reply in runs["other"].replies] == ["4"]


def test_a_file_is_nobodys_to_hold(one: Warm) -> None:
    """on SQLite the processes start with their calls, and nobody is ahead of them"""
    run = ran(one, IGNORES, *START, kind=SQLITE)
    assert all(reply.ok for reply in run.replies)
    kinds = [seen.kind for seen in run.observations]
    assert kinds.index("start") < kinds.index("call")
    assert gathered(run) == []


READS = f"""{CONNECTS}
one = connected()
def chat(thread_id, text):
    own = one if text == "shared" else connected()
    return str(own.execute("SELECT count(*) FROM checkpoints").fetchone()[0])
"""


@pytest.mark.parametrize(("text", "count"), [("own", 9), ("shared", 1)])
def test_a_stall(one: Warm, text: str, count: int) -> None:
    """all connections of a rush are open, and counted, when the table is given back"""
    rush = (process(0).calls("chat", f"{{thread_{n}}}", text) for n in range(8))
    run = ran(one, READS, database.stalls(), together(*rush))
    assert [reply.value for reply in run.replies] == ["0"] * 8
    (given,) = run.of("released")
    assert given.data["connections"] == {"0": count}
    assert given.data["inside"] == min(count, 8)
    assert run.stored[-1].data["connections"]["0"] <= count


def test_a_stall_without_its_table(one: Warm) -> None:
    """a table that is not there is not locked, and nothing waits"""
    run = ran(one, READS, database.stalls("nowhere"), *FOUR[:1])
    assert (run.replies[0].value, gathered(run)) == ("0", [])


def test_nothing_is_left_of_them(one: Warm, fresh: Fresh) -> None:
    """a run that is over holds no connection of the one that was ahead"""
    ran(one, RACES, *START)
    folder = one.harness.databases.folder
    server = one.harness.databases._server
    assert folder is not None
    assert server is not None
    asked = server._admin._ask(
        "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE %s", "grader%"
    )
    assert asked == [(0,)]
