"""An order for PostgreSQL gives each scenario a database that its processes share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from grader import notebook, playground, session
from grader.harness import tree
from grader.harness.limits import MIB
from grader.postgres.address import url_of
from grader.store import Store
from grader.vocabulary import Exercise, Run, database, process
from grader.vocabulary.exercise import POSTGRES
from tests.harness.conftest import Fresh
from tests.harness.postgres import Server, connected, short_folder
from tests.harness.small import CONTRACT, Warm, exercise

COUNTS = """
import os, psycopg

def chat(thread_id, text):
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        database.execute("CREATE TABLE IF NOT EXISTS seen (text text)")
        database.execute("INSERT INTO seen VALUES (%s)", [text])
        (count,) = database.execute("SELECT count(*) FROM seen").fetchone()
        tables = database.execute("SELECT tablename FROM pg_tables "
            "WHERE schemaname = 'public' ORDER BY 1").fetchall()
    return f"{os.environ['DATABASE_URL']} {count} {[name for (name,) in tables]}"
"""


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name, which is gone last."""
    with short_folder() as folder:
        yield folder


@pytest.fixture
def one(short: Path, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> Warm:
    """A harness that starts a throw-away server when it is asked for one."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return fresh(folder=short)


def both(prepared: bool) -> Exercise:
    """Return an exercise on PostgreSQL of two scenarios, with two processes each."""
    made = exercise()
    made.database, made.prepared = POSTGRES, prepared
    chats = [process(n).calls("chat", "{thread}", f"{n}") for n in (0, 1)]
    made.scenario("other", "the same once more", *chats)

    @made.check(points=1)
    def also_answers(other: Run) -> None:
        """every call gets an answer"""

    return made


def test_a_database_for_each_scenario(one: Warm) -> None:
    """processes of one scenario share a database, and two scenarios share none"""
    runs = one.histories(COUNTS, both(prepared=False)).runs
    said = [reply.value.split(" ", 2) for run in runs.values() for reply in run.replies]
    assert [count for _, count, _ in said] == ["1", "2", "1", "2"]
    assert {tables for _, _, tables in said} == {"['seen']"}
    urls = [url for url, _, _ in said]
    assert urls[0] == urls[1] != urls[2] == urls[3]
    for url in {*urls}:  # closed with the run
        with pytest.raises(psycopg.OperationalError):
            connected(url)
    assert not list(one.harness.place.sockets.glob("*/.s.PGSQL.*"))
    last = runs["only"].stored[-1].data
    assert (last["database"], last["threads"]) == ("DATABASE_URL", [])


KEEPS = """
import os, psycopg

connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)

def chat(thread_id, text):
    if text == "again":
        return chat_of(psycopg.connect(os.environ["DATABASE_URL"], autocommit=True))
    return chat_of(connection)

def chat_of(connection):
    return connection.execute("SELECT current_user").fetchone()[0]
"""


def test_connections_are_dropped(one: Warm) -> None:
    """the server ends every connection of the processes, and serves the next one"""
    made = Exercise("A small one", CONTRACT, ("Read.",), database=POSTGRES)
    told = [process(n).calls("chat", "{thread}", "kept") for n in (0, 1)]
    again = [process(n).calls("chat", "{thread}", "again") for n in (0, 1)]
    made.scenario("one", "a drop", *told, database.drops_connections(), *told, *again)
    made.scenario("other", "no drop", *told, *told)
    runs = one.histories(KEEPS, made).runs
    run = runs["one"]
    errors = [reply.data.get("error") for reply in run.replies]
    assert errors[:2] == errors[4:] == [None, None]
    assert {*errors[2:4]} <= {"AdminShutdown", "OperationalError"}
    (fault,) = run.of("fault")
    assert (fault.process, fault.data["connections"]) == (None, 2)
    assert str(fault).endswith("the database server ends all connections: 2")
    assert all(reply.ok for reply in runs["other"].replies)


def test_a_file_has_no_connections_to_drop(one: Warm) -> None:
    """on SQLite the same step ends nothing, and says so"""
    answers = "def chat(thread_id, text):\n    return 'a'\n"
    steps = (process(0).calls("chat", "{thread}", "a"), database.drops_connections())
    (fault,) = one.history(answers, *steps).of("fault")
    assert fault.data["connections"] == 0


def test_a_given_server(
    one: Warm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """a server that a sandbox cannot see serves its processes all the same

    Nothing of the run is left there, and the processes are told of no other way to it.
    """
    given = Server(folder=str(tmp_path))
    names = "SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles"
    before = sorted(given.asked(names))
    monkeypatch.setenv("DATABASE_URL", url_of(given.postgres.address))
    (said, *_) = one.histories(COUNTS, both(prepared=False)).runs["only"].replies
    assert str(one.harness.place.sockets) in said.value
    assert str(given.postgres.folder) not in said.value
    databases = [name for name in given.asked(names) if name not in before]
    assert databases == []
    given.close()


def test_tables_from_the_start(one: Warm) -> None:
    """an exercise that asks for it finds LangGraph's tables, as after a migration"""
    runs = one.histories(COUNTS, both(prepared=True)).runs
    assert "'checkpoint_blobs'" in runs["only"].replies[0].value


def test_the_server_is_started_once_and_late(one: Warm) -> None:
    """a harness that is not asked for PostgreSQL has none, one that is keeps it"""
    answers = "def chat(thread_id, text):\n    return 'a'\n"
    one.history(answers)
    assert one.harness.databases.folder is None
    one.histories(COUNTS, both(prepared=False))
    folder = one.harness.databases.folder
    one.histories(COUNTS, both(prepared=False))
    assert folder is not None
    assert folder.is_dir()
    assert one.harness.databases.folder == folder


def test_without_a_server_nothing_is_judged(
    one: Warm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """no PostgreSQL is an error that says so, never a zero"""
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me@/none?host={tmp_path}")
    verdict = one.outcome(COUNTS, both(prepared=False)).verdict
    assert verdict.unknown
    for result in verdict.results:
        assert result.rationale.startswith("not run without PostgreSQL: expected a")
        assert "unset DATABASE_URL" in result.rationale


def test_a_path_that_is_too_long(
    fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a folder in which no socket can be made is named, and nothing is judged"""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    deep = tmp_path / ("d" * 60)
    deep.mkdir()
    verdict = fresh(folder=deep).outcome(COUNTS, both(prepared=False)).verdict
    assert verdict.unknown
    assert "set TMPDIR to a folder with a shorter name" in verdict.results[0].rationale


def test_a_kernel_does_not_get_the_users_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """a cell that is run in the kernel does not see the user's own DATABASE_URL"""
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@/real")
    monkeypatch.setenv("CHECKPOINT_DB", "before")
    playground.enter({"CHECKPOINT_DB": "after"})
    assert "DATABASE_URL" not in os.environ
    assert os.environ["CHECKPOINT_DB"] == "after"


def test_an_unknown_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """a notebook that asks for another database is told which there are"""
    made = Exercise("A small one", CONTRACT, ("Read the report.",))
    opened = session.Session("ex99_small", made, Store("ex99_small", tmp_path), "text")
    monkeypatch.setattr(session, "_current", [opened])
    with pytest.raises(LookupError, match=r"\(sqlite, postgres\), found 'mysql'"):
        notebook.check(database="mysql")


FILLS = """
import os, psycopg

def chat(thread_id, text):
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        for number in range(8):
            database.execute(f"CREATE TABLE t{number} AS SELECT md5(n::text) "
                "FROM generate_series(1, 4000000) n")
"""


def test_a_database_that_is_filled(one: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """who keeps too much in several tables is stopped, and the next one has room"""
    monkeypatch.setattr(tree, "SERVER_LIMIT_B", 300 * MIB)
    verdict = one.outcome(FILLS, both(prepared=False)).verdict
    assert not verdict.unknown
    assert verdict.problem.startswith(
        "the submission passed a limit: database (300 MiB), found "
    )
    assert one.outcome(COUNTS, both(prepared=False)).verdict.passed


SWELLS = """
import os, psycopg

def chat(thread_id, text):
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        database.execute("DO $$ DECLARE t text := repeat('x', 400000000); "
            "BEGIN PERFORM pg_sleep(60); END $$")
"""


def test_a_server_that_swells(one: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """who has the server hold too much memory is stopped, and the next one is judged"""
    monkeypatch.setattr(tree, "SERVER_MEMORY_LIMIT_B", 300 * MIB)
    verdict = one.outcome(SWELLS, both(prepared=False)).verdict
    assert not verdict.unknown
    assert verdict.problem.startswith(
        "the submission passed a limit: memory of the database (300 MiB), found "
    )
    assert one.outcome(COUNTS, both(prepared=False)).verdict.passed
