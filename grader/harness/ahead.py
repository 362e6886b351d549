"""A replica that is a moment ahead of all others, and is lost while they wait for it.

It makes a table that every replica makes when it starts, and does not commit. So what
happens by luck, that several make the same table at once, happens each time: whoever
is to make it waits, and when the first one is lost, all of them go on at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from grader.harness.wire import Wires
from grader.postgres.address import parsed, url_of

CONNECT_LIMIT_S = 30
# A submission owns its database, and what it sets for it holds for whoever connects:
# by a search path of its own, its functions would run with the rights of who looks.
OURS = {
    "search_path": "pg_catalog",
    "role": "none",
    "local_preload_libraries": "",
    "default_transaction_read_only": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
SCHEMA = "public"  # of the tables that every replica makes
# The same request so many times: who waits by asking has asked in vain.
REPEATED = 3
BLOCKED = (
    "SELECT pid, pg_blocking_pids(pid) FROM pg_stat_activity "
    "WHERE datname = %s AND usename = %s AND cardinality(pg_blocking_pids(pid)) > 0"
)


class Ahead:
    """One replica's uncommitted tables, and who waits for them; made by a store."""

    def __init__(self, url: str, name: str, wires: Wires) -> None:
        self._url, self._name, self.wires = url, name, wires
        self._tables: list[psycopg.Connection[Any]] = []
        self._looking: psycopg.Connection[Any] | None = None

    async def hold(self, tables: tuple[str, ...]) -> None:
        """Make the tables, each in a transaction that is not committed."""
        await asyncio.to_thread(self._hold, tables)

    async def lock(self, table: str) -> None:
        """Take a table that is there away from everybody.

        Raises:
            psycopg.Error: it is not there, or somebody is at it.
        """
        await asyncio.to_thread(self._lock, table)

    async def lose(self) -> None:
        """End the first of the transactions; its table has never been."""
        lost = self._tables.pop(0)
        self.wires.forget()
        await asyncio.to_thread(lost.rollback)
        await asyncio.to_thread(lost.close)

    async def blocked(self) -> Mapping[int, list[int]]:
        """Return which server processes wait for a lock, and for which others."""
        return await asyncio.to_thread(self._blocked)

    async def close(self) -> None:
        """End all that is open."""
        for connection in (*self._tables, self._looking):
            if connection is not None:
                with contextlib.suppress(psycopg.Error):
                    await asyncio.to_thread(connection.close)

    def _hold(self, tables: tuple[str, ...]) -> None:
        for table in tables:
            self._does("CREATE TABLE {} ()", table)
        self._looking = self._connect(autocommit=True)

    def _lock(self, table: str) -> None:
        self._looking = self._connect(autocommit=True)
        self._does("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE NOWAIT", table)

    def _does(self, statement: LiteralString, table: str) -> None:
        """Do it with a submission's own rights, as all that is done in its database."""
        connection = self._connect(autocommit=False)
        self._tables.append(connection)
        role, place = sql.Identifier(self._name), sql.Identifier(SCHEMA, table)
        connection.execute(sql.SQL("SET ROLE {}").format(role))
        connection.execute(sql.SQL(statement).format(place))

    def _blocked(self) -> dict[int, list[int]]:
        assert self._looking is not None
        return dict(self._looking.execute(BLOCKED, (self._name,) * 2).fetchall())

    def _connect(self, autocommit: bool) -> psycopg.Connection[Any]:
        options = " ".join(f"-c {name}={value}" for name, value in OURS.items())
        url = url_of(parsed(self._url) | {"options": options})
        return psycopg.connect(
            url, autocommit=autocommit, connect_timeout=CONNECT_LIMIT_S
        )
