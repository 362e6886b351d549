"""Gives each scenario a database of the kind that its order asks for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from grader.harness import checkpoints
from grader.harness.launch import GraderBroke
from grader.harness.relay import Relay
from grader.harness.stores import SqliteStore, Store
from grader.vocabulary.exercise import POSTGRES

if TYPE_CHECKING:  # what they import costs a tenth of a second
    from grader.postgres.server import Database, Postgres

FILE = Path("shared") / "checkpoints.db"


class Databases:
    """Starts PostgreSQL when it is first asked for, and keeps it warm."""

    def __init__(self, folder: str = "") -> None:
        self._folder = folder
        self._stack = AsyncExitStack()
        self._starting = asyncio.Lock()
        self._server: Postgres | None = None

    @property
    def folder(self) -> Path | None:
        """The folder of the throw-away server, once there is one."""
        return None if self._server is None else self._server.folder

    @asynccontextmanager
    async def store(
        self, kind: str, folder: Path, prepared: bool, sockets: Path
    ) -> AsyncIterator[Store]:
        """Yield a new database for a scenario whose folder this is.

        Its processes reach it by a socket in a new folder in `sockets`.

        Raises:
            GraderBroke: PostgreSQL is asked for and cannot be had.
        """
        path = folder / FILE
        path.parent.mkdir(parents=True)
        checkpoints.create(path)
        if kind != POSTGRES:
            yield SqliteStore(path)
            return
        from grader.harness.postgres_store import PostgresStore

        made = await self.create(prepared)
        store = PostgresStore(path, made, partial(self.drop_connections, made))
        if self._server is not None:
            store.admin_url = self._server.url_in(made)
        try:
            async with AsyncExitStack() as stack:
                if self._server is not None and os.name == "posix":
                    at = sockets / secrets.token_hex(4)
                    relay = Relay(at, *self._server.reached_at)
                    store.host = str((await stack.enter_async_context(relay)).folder)
                    store.wires = relay.wires
                yield store
        finally:
            store.close()
            await self.drop(store.database)

    async def create(self, prepared: bool) -> Database:
        """Return a new database of PostgreSQL, with LangGraph's tables if `prepared`.

        Raises:
            GraderBroke: there is no PostgreSQL, or it does not answer.
        """
        import psycopg

        from grader.postgres.programs import Unavailable

        try:
            return await (await self._started()).create(prepared)
        except (Unavailable, psycopg.Error) as problem:
            reason = " ".join(str(problem).split())  # a report shows one line of it
            raise GraderBroke(f"not run without PostgreSQL: {reason}") from problem

    async def drop_connections(self, database: Database) -> int:
        """End every connection of a submission; return how many there were.

        Raises:
            GraderBroke: the server does not answer.
        """
        import psycopg

        try:
            return await (await self._started()).drop_connections(database)
        except psycopg.Error as problem:
            reason = " ".join(str(problem).split())
            raise GraderBroke(f"no connection could be ended: {reason}") from problem

    async def drop(self, database: Database) -> None:
        """Remove a database and all connections to it."""
        import psycopg

        if self._server is not None:
            with contextlib.suppress(psycopg.Error):  # a server that is gone has none
                await asyncio.shield(self._server.drop(database))

    async def close(self) -> None:
        """End the server, if there is one."""
        await self._stack.aclose()

    async def _started(self) -> Postgres:
        from grader.postgres.server import Postgres

        async with self._starting:
            if self._server is None:
                url = os.environ.get("DATABASE_URL", "")
                opened = Postgres.open(self._folder, url)
                self._server = await self._stack.enter_async_context(opened)
            return self._server
