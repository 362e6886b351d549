"""What facts on PostgreSQL share: how to connect, a small state, and who waits."""

from __future__ import annotations

from typing import Any, TypedDict

import psycopg
from psycopg.rows import dict_row

KEEP: dict[str, Any] = {"autocommit": True, "row_factory": dict_row}
Server = psycopg.Connection[Any]


class State(TypedDict, total=False):
    said: str
    score: float


def answer(state: State) -> State:
    return {"said": "hello"}


def waiting(server: Server, count: int) -> None:
    """Return once so many connections wait for a lock."""
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    found = -1
    while found < count:
        ((found,),) = server.execute(blocked).fetchall()
