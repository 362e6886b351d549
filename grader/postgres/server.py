"""A server for runs, and on it a role and a database for each submission."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psycopg

from grader.postgres import programs, scratch
from grader.postgres.address import parsed, url_of
from grader.postgres.admin import Admin
from grader.postgres.guard import SUPERUSER
from grader.postgres.limits import START_LIMIT_S, STOP_LIMIT_S
from grader.postgres.programs import Programs, Unavailable

T = TypeVar("T")
PACKAGE_ROOT = str(Path(__file__).parents[2])
KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class Database:
    """A database of one submission: `url` is for it, `reader_url` for who judges it."""

    name: str
    url: str
    reader_url: str


class Postgres:
    """One server for as long as a harness lives; made by `Postgres.open`."""

    def __init__(self, address: Mapping[str, str], own: bool) -> None:
        self.address, self.own = dict(address), own
        self.folder: Path | None = None  # of a server of our own
        self._admin = Admin(self.address, own)
        self._one_at_a_time = asyncio.Lock()
        self._prepared = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: str = "", url: str = "", found: Programs | None = None
    ) -> AsyncIterator[Postgres]:
        """Yield a server: the one at `url`, or else a throw-away one.

        Args:
            folder: where a throw-away server's own folder is made, if every user can
                reach it and its path is short; else the system's temporary folder.
            url: of a superuser, or of a role that may create databases and roles.
            found: the programs of a throw-away server; by default what there is.

        Raises:
            Unavailable: there is neither; says what to install.
        """
        if url:
            async with cls._given(url) as server:
                yield server
            return
        async with cls._thrown_away(folder, found) as server:
            yield server

    @classmethod
    @asynccontextmanager
    async def _given(cls, url: str) -> AsyncIterator[Postgres]:
        try:
            server = cls(parsed(url), own=False)
        except psycopg.ProgrammingError:  # which may quote a password
            raise Unavailable(
                "expected a connection string in DATABASE_URL, such as "
                "postgresql://user:password@host/database; found none that can be read"
            ) from None
        try:
            await server._do(server._admin.open)
        except psycopg.Error as problem:
            raise Unavailable(
                f"expected a PostgreSQL at DATABASE_URL, found: {problem}; start it, "
                "or unset DATABASE_URL for a throw-away server"
            ) from None
        try:
            yield server
        finally:
            await server._close()

    @classmethod
    @asynccontextmanager
    async def _thrown_away(
        cls, folder: str, found: Programs | None
    ) -> AsyncIterator[Postgres]:
        who = programs.account()
        chosen = await asyncio.to_thread(programs.find) if found is None else found
        await asyncio.to_thread(scratch.remove_stale, folder, who)
        password = secrets.token_urlsafe(24)
        order = {
            "programs": str(chosen.folder),
            "parent": folder,
            "password": password,
            "uid": None if who is None else who.uid,
            "gid": None if who is None else who.gid,
        }
        guard = await _python("grader.postgres.guard", out=asyncio.subprocess.PIPE)
        assert guard.stdin is not None
        assert guard.stdout is not None
        try:
            guard.stdin.write(json.dumps(order).encode() + b"\n")
            line = await asyncio.wait_for(guard.stdout.readline(), 2 * START_LIMIT_S)
            said = json.loads(line or b'{"problem": "its guard ended"}')
            if "problem" in said:
                raise Unavailable(
                    f"{chosen.version} in {chosen.folder} does not start: "
                    f"{said['problem']}"
                )
            at = {"host": said["host"], "port": str(said["port"])}
            who_asks = {"user": SUPERUSER, "password": password, "dbname": "postgres"}
            server = cls(at | who_asks, own=True)
            server.folder = Path(said["folder"])
            await server._do(server._admin.open)
            try:
                yield server
            finally:
                await server._close()
        finally:
            await asyncio.shield(_end(guard))

    @property
    def reached_at(self) -> tuple[str, int]:
        """The host, or the folder of a unix socket, and the port of the server."""
        return self._admin.reached_at

    @property
    def socket_folder(self) -> Path | None:
        """The folder that holds the server's unix socket and nothing else, if any."""
        host = self.address.get("host", "")
        return Path(host) if host.startswith("/") else None

    def url_in(self, database: Database) -> str:
        """Return the URL with which who judges may do anything in a database."""
        return url_of({**self.address, "dbname": database.name})

    async def create(self, prepared: bool = True) -> Database:
        """Return a new database of a new role, with LangGraph's tables if `prepared`.

        The role owns them and all else in it, and may do nothing outside it.
        """
        async with self._one_at_a_time:
            if prepared and not self._prepared:
                await self._prepare()
            return await self._do(lambda: self._create(prepared))

    async def drop(self, database: Database) -> None:
        """End the database's connections, and remove it and its roles."""
        async with self._one_at_a_time:
            await asyncio.shield(self._do(lambda: self._admin.drop(database.name)))

    async def drop_connections(self, database: Database) -> int:
        """End every connection of the submission, as a failover does; return how many.

        Its next statement on each of them fails, and a new connection is accepted.
        """
        async with self._one_at_a_time:
            return await self._do(lambda: self._admin.drop_connections(database.name))

    async def _prepare(self) -> None:
        """Make the template that has LangGraph's tables, once."""
        url = await self._do(self._admin.create_template)
        migration = await _python(
            "grader.postgres.migrate", err=asyncio.subprocess.PIPE
        )
        try:
            _, said = await migration.communicate(url.encode())
        finally:
            if migration.returncode is None:
                migration.kill()
        if migration.returncode:
            tail = said.decode(errors="replace").strip()[-500:]
            raise Unavailable(f"LangGraph's tables could not be made: {tail}")
        await self._do(self._admin.finish_template)
        self._prepared = True

    def _create(self, prepared: bool) -> Database:
        name, password, reader = self._admin.create(prepared)
        at = self.address | {"dbname": name}
        return Database(
            name,
            url_of(at | {"user": name, "password": password}),
            url_of(at | {"user": f"{name}_reader", "password": reader}),
        )

    async def _do(self, act: Callable[[], T]) -> T:
        """Do something that waits for the server, beside the event loop."""
        return await asyncio.to_thread(act)

    async def _close(self) -> None:
        await asyncio.shield(self._do(self._admin.close))


async def _python(
    module: str, out: int | None = None, err: int | None = None
) -> asyncio.subprocess.Process:
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL if out is None else out,
        stderr=asyncio.subprocess.DEVNULL if err is None else err,
        start_new_session=True,  # Ctrl-C in a terminal or kernel is not for it
        env=environment | {"PYTHONPATH": PACKAGE_ROOT},
    )


async def _end(guard: asyncio.subprocess.Process) -> None:
    """Let the guard end its server, by the end of its input."""
    assert guard.stdin is not None
    guard.stdin.close()
    try:
        await asyncio.wait_for(guard.wait(), 2 * STOP_LIMIT_S)
    except TimeoutError:
        guard.terminate()
        await guard.wait()
