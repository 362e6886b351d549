"""PostgreSQL: who makes the tables, what a connection is worth, what is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict
from uuid import uuid4

import psycopg
import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import MessagesState
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from psycopg_pool.base import AttemptWithBackoff

from tests.drift.small_graphs import THREAD, chain, raised

fact = pytest.mark.fact
KEEP: dict[str, Any] = {"autocommit": True, "row_factory": dict_row}
REPLICAS = 4
Server = psycopg.Connection[Any]


class State(TypedDict, total=False):
    said: str
    score: float


def answer(state: State) -> State:
    return {"said": "hello"}


@pytest.fixture
def server(postgres: str) -> Iterator[Server]:
    """A connection to the server, from which everything can be seen."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        yield connection


@pytest.fixture
def empty(postgres: str, server: Server) -> str:
    """The address of an empty database."""
    name = f"empty_{uuid4().hex}"
    server.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
    return postgres.replace("dbname=postgres", f"dbname={name}")


@pytest.fixture
def migrated(empty: str) -> str:
    """The address of a database with LangGraph's tables."""
    with PostgresSaver.from_conn_string(empty) as saver:
        saver.setup()
    return empty


def waiting(server: Server, count: int) -> None:
    """Return once so many connections wait for a lock."""
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    found = -1
    while found < count:
        ((found,),) = server.execute(blocked).fetchall()


def errors(start: Callable[[], None], release: Callable[[], None]) -> list[str]:
    """Start replicas at once, release what they wait for; return what they raise."""
    with ThreadPoolExecutor(REPLICAS) as replicas:
        started = [replicas.submit(start) for _ in range(REPLICAS)]
        release()
        found = [each.exception() for each in started]
    return sorted(type(error).__name__ for error in found if error is not None)


@fact("ex09.setup_race")
def test_setup_race(empty: str, server: Server) -> None:
    """when a replica is lost in its first migration, one of four that wait in setup()
    goes on, and three raise UniqueViolation"""
    ahead = psycopg.connect(empty)
    ahead.execute("CREATE TABLE checkpoint_migrations (v INTEGER PRIMARY KEY)")

    def start() -> None:
        with psycopg.connect(empty, **KEEP) as own:
            PostgresSaver(own).setup()

    def release() -> None:
        waiting(server, REPLICAS)
        ahead.close()

    assert errors(start, release) == ["UniqueViolation"] * (REPLICAS - 1)


@fact("ex09.advisory_lock_deadlocks")
def test_advisory_lock_deadlocks(empty: str, server: Server) -> None:
    """a lock that is waited for in a statement, around setup(), is a deadlock with
    CREATE INDEX CONCURRENTLY"""
    ahead = psycopg.connect(empty)
    ahead.execute("CREATE TABLE checkpoint_migrations (v INTEGER PRIMARY KEY)")

    def start() -> None:
        with psycopg.connect(empty, **KEEP) as own:
            own.execute("SELECT pg_advisory_lock(1)")
            PostgresSaver(own).setup()

    def release() -> None:
        waiting(server, REPLICAS)
        ahead.close()

    assert {*errors(start, release)} == {"DeadlockDetected"}


@fact("ex09.from_conn_string_is_no_saver")
def test_from_conn_string_is_no_saver(migrated: str) -> None:
    """compile() refuses what from_conn_string() returns"""
    saver: Any = PostgresSaver.from_conn_string(migrated)
    found = raised(lambda: chain(State, answer, saver=saver))
    assert found.startswith("TypeError: Invalid checkpointer provided")


@fact("ex09.context_that_nobody_keeps")
def test_context_that_nobody_keeps(migrated: str) -> None:
    """a saver whose context nobody keeps has a closed connection"""
    saver = PostgresSaver.from_conn_string(migrated).__enter__()
    found = raised(chain(State, answer, saver=saver).invoke, {}, THREAD)
    assert found == "OperationalError: the connection is closed"


@fact("ex09.no_setup")
def test_no_setup(empty: str) -> None:
    """without setup() the first turn raises UndefinedTable"""
    with PostgresSaver.from_conn_string(empty) as saver:
        found = raised(chain(State, answer, saver=saver).invoke, {}, THREAD)
    assert found.startswith('UndefinedTable: relation "checkpoints" does not exist')


@fact("ex09.setup_in_a_transaction")
def test_setup_in_a_transaction(empty: str) -> None:
    """setup() on a connection without autocommit raises ActiveSqlTransaction"""
    with psycopg.connect(empty, row_factory=dict_row) as own:
        found = raised(PostgresSaver(own).setup)
        own.rollback()
    assert found == (
        "ActiveSqlTransaction: CREATE INDEX CONCURRENTLY cannot run inside a "
        "transaction block"
    )


@fact("ex09.autocommit_off_saves_nothing")
def test_autocommit_off_saves_nothing(migrated: str) -> None:
    """a connection without autocommit raises nothing, and nobody else sees a row"""
    own = psycopg.connect(migrated, row_factory=dict_row)
    chain(State, answer, saver=PostgresSaver(own)).invoke({}, THREAD)
    with PostgresSaver.from_conn_string(migrated) as other:
        assert other.get_tuple(THREAD) is None
    own.close()


def dropped(server: Server, url: str) -> None:
    """End all connections to a database, and wait for their end."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    server.execute(f"{end} WHERE datname = '{name}'")  # type: ignore[arg-type]


@fact("ex09.one_connection_fails_for_ever")
def test_one_connection_fails_for_ever(migrated: str, server: Server) -> None:
    """after a drop, a saver with one connection fails in each later turn"""
    own = psycopg.connect(migrated, **KEEP)
    app = chain(State, answer, saver=PostgresSaver(own))
    app.invoke({}, THREAD)
    dropped(server, migrated)
    found = [raised(app.invoke, {}, THREAD).partition(":")[0] for _ in range(3)]
    assert found == ["AdminShutdown", "OperationalError", "OperationalError"]


@pytest.mark.parametrize(
    ("look", "failed"), [(None, 1), (ConnectionPool.check_connection, 0)]
)
@fact("ex09.pool_that_looks")
def test_pool_that_looks(migrated: str, server: Server, look: Any, failed: int) -> None:
    """after a drop a pool of one connection fails once, and with
    check=ConnectionPool.check_connection it does not fail"""
    how: dict[str, Any] = {"min_size": 1, "max_size": 1, "kwargs": KEEP, "check": look}
    with ConnectionPool(migrated, **how) as pool:
        app = chain(State, answer, saver=PostgresSaver(pool))
        app.invoke({}, THREAD)
        dropped(server, migrated)
        found = [raised(app.invoke, {}, THREAD) for _ in range(3)]
    assert sum("raised nothing" not in error for error in found) == failed


@fact("ex09.pool_waits_between_dead_connections")
def test_pool_waits_between_dead_connections() -> None:
    """between dead connections a pool waits 1 s, and then twice as long each time"""
    found = AttemptWithBackoff.INITIAL_DELAY, AttemptWithBackoff.DELAY_BACKOFF
    assert found == (1.0, 2.0)


@fact("ex09.one_statement_at_a_time")
def test_one_statement_at_a_time(migrated: str, server: Server) -> None:
    """one saver with a pool has one statement in flight, whatever the pool's size"""
    lock = psycopg.connect(migrated)
    lock.execute("LOCK TABLE checkpoints IN ACCESS EXCLUSIVE MODE")
    how: dict[str, Any] = {"min_size": 4, "max_size": 4, "kwargs": KEEP}
    with ConnectionPool(migrated, **how) as pool:
        pool.wait()
        saver = PostgresSaver(pool)
        turns = [
            threading.Thread(target=saver.get_tuple, args=(THREAD,)) for _ in range(8)
        ]
        for turn in turns:
            turn.start()
        waiting(server, 1)
        found = saver.lock.locked(), pool.get_stats()["pool_available"]
        lock.close()
        for turn in turns:
            turn.join()
    assert found == (True, 3)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"said": "a\x00b"}, "UntranslatableCharacter"),
        ({"score": float("nan")}, "InvalidTextRepresentation"),
    ],
    ids=["NUL", "NaN"],
)
@fact("ex09.what_is_refused")
def test_what_is_refused(migrated: str, value: Any, error: str) -> None:
    """a NUL character and NaN in a channel of their own are refused"""
    with PostgresSaver.from_conn_string(migrated) as saver:
        app = chain(State, answer_with(value), saver=saver)
        assert raised(app.invoke, {}, THREAD).partition(":")[0] == error


def answer_with(value: Any) -> Callable[[State], State]:
    def answer(state: State) -> State:
        return value

    return answer


@fact("ex09.messages_are_bytes")
def test_messages_are_bytes(migrated: str) -> None:
    """a NUL character in a message is stored, and is there for the next turn"""

    def say(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage("a\x00b")]}

    with PostgresSaver.from_conn_string(migrated) as saver:
        app = chain(MessagesState, say, saver=saver)
        app.invoke({"messages": []}, THREAD)
        found = app.get_state(THREAD).values["messages"]
    assert [message.content for message in found] == ["a\x00b"]
