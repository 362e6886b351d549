"""PostgreSQL: who makes the tables, and what a connection must be for that."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg.rows import dict_row

from tests.drift.on_postgres import KEEP, Server, State, answer, waiting
from tests.drift.small_graphs import THREAD, chain, raised

fact = pytest.mark.fact
REPLICAS = 4


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
