"""PostgreSQL: what a connection is worth after a drop, and how many work at once."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg_pool import ConnectionPool
from psycopg_pool.base import AttemptWithBackoff

from tests.drift.on_postgres import KEEP, Server, State, answer, waiting
from tests.drift.small_graphs import THREAD, chain, raised

fact = pytest.mark.fact


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
