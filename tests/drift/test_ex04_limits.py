"""How long a web server, and SQLite, wait."""

from __future__ import annotations

from pathlib import Path

import pytest
import uvicorn

from tests.drift.small_graphs import sqlite_saver

fact = pytest.mark.fact


@fact("ex04.idle_connections_are_closed")
def test_idle_connections_are_closed() -> None:
    """uvicorn closes a connection that was idle for 5 seconds, unless told otherwise"""
    assert uvicorn.Config("app:app").timeout_keep_alive == 5


@fact("ex04.database_is_locked")
def test_a_writer_waits(tmp_path: Path) -> None:
    """a connection of Python waits 5 seconds for SQLite's write lock by default, also
    as a SqliteSaver's"""
    saver = sqlite_saver(tmp_path / "c.db")
    saver.setup()
    assert saver.conn.execute("PRAGMA busy_timeout").fetchone() == (5000,)
