"""What the supervisor does on a server: databases and roles, made and dropped."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from grader.postgres.address import url_of
from grader.postgres.limits import (
    CONNECT_LIMIT_S,
    END_LIMIT_MS,
    ROLE_CONNECTIONS_LIMIT,
)

PREFIX = "grader_"
NOTHING_MORE = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
NOT_BUILT_IN = "datname <> 'template0'"
PROTECTED = "datname = %s AND datistemplate"
# Who changes the settings of a database holds it until the transaction ends, and a
# statement under way does not notice that its client is gone.
END_HOLDERS = """
    SELECT pg_terminate_backend(a.pid, %s::bigint) FROM pg_stat_activity a
    WHERE a.usename = %s AND EXISTS (
        SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.objid
        WHERE l.pid = a.pid AND l.classid = 'pg_database'::regclass AND d.datname = %s
    )
"""


class Admin:
    """One connection that may create databases and roles, used by one thread at a time.

    All names of a harness begin with a token of its own, which is its connection's
    name too: what belongs to no living connection was left by a harness that was
    killed, and is removed when the next one starts.
    """

    def __init__(self, address: Mapping[str, str], own: bool) -> None:
        self.address, self.own = address, own
        self.token = f"{PREFIX}{secrets.token_hex(4)}"
        self.template, self.owner = f"{self.token}_tables", f"{self.token}_owner"
        self._connection: psycopg.Connection[Any] | None = None
        self._made: list[str] = []
        self._is_superuser = True

    def open(self) -> None:
        """Connect, and shut out whoever has no business in the server's databases.

        On a server that is not ours the databases that were there stay as they are.
        """
        row = self._ask("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        self._is_superuser = bool(row[0][0])
        if not self.own:
            self._remove_stale()
            return
        for (name,) in self._ask(
            f"SELECT datname FROM pg_database WHERE {NOT_BUILT_IN}"
        ):
            self._do("REVOKE ALL ON DATABASE {} FROM PUBLIC", name)

    @property
    def reached_at(self) -> tuple[str, int]:
        """The host, or the folder of a unix socket, and the port of the server."""
        info = self._connected().info
        return info.host, info.port

    def create(self, prepared: bool) -> tuple[str, str, str]:
        """Make a role, its reader and its database; return name and two passwords."""
        name = f"{self.token}_{secrets.token_hex(4)}"
        reader, passwords = (
            f"{name}_reader",
            (secrets.token_hex(24), secrets.token_hex(24)),
        )
        for role, password in zip((name, reader), passwords, strict=True):
            self._do(
                f"CREATE ROLE {{}} LOGIN {NOTHING_MORE} "
                f"CONNECTION LIMIT {ROLE_CONNECTIONS_LIMIT}",
                role,
            )
            self._do(f"ALTER ROLE {{}} PASSWORD '{password}'", role)
        self._made.append(name)
        self._do("GRANT {} TO {}", name, reader)
        if not self._is_superuser:
            self._do("GRANT {} TO CURRENT_USER", name)
        source = self.template if prepared else "template0"
        # Nobody gets in before PUBLIC is out.
        self._do(
            "CREATE DATABASE {} OWNER {} TEMPLATE {} ALLOW_CONNECTIONS false",
            *(name, name, source),
        )
        self._do("REVOKE ALL ON DATABASE {} FROM PUBLIC", name)
        self._do("ALTER DATABASE {} ALLOW_CONNECTIONS true", name)
        if prepared:
            with self._connect(name) as inside:
                give = sql.SQL("REASSIGN OWNED BY {} TO {}")
                inside.execute(give.format(*map(sql.Identifier, (self.owner, name))))
        return name, *passwords

    def drop(self, name: str) -> None:
        """Remove a database with its connections, and its roles."""
        self._free(name)
        self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        for role in (f"{name}_reader", name):
            self._do("DROP ROLE IF EXISTS {}", role)
        with contextlib.suppress(ValueError):
            self._made.remove(name)

    def _free(self, name: str) -> None:
        """End what would keep a database: its owner may lock it, or protect it."""
        self._ask(END_HOLDERS, str(END_LIMIT_MS), name, name)
        if self._ask(f"SELECT 1 FROM pg_database WHERE {PROTECTED}", name):
            self._do("ALTER DATABASE {} IS_TEMPLATE false", name)

    def drop_connections(self, name: str) -> int:
        """End the connections of a database's role; return how many there were.

        They have ended when this returns; before, a statement might still be served.
        """
        own = "FROM pg_stat_activity WHERE datname = %s AND usename = %s"
        ended = self._ask(f"SELECT pg_terminate_backend(pid) {own}", name, name)
        # All are told before one is waited for: each wait is a tenth of a second.
        wait = f"SELECT pg_terminate_backend(pid, {END_LIMIT_MS}) {own}"
        self._ask(wait, name, name)
        return len(ended)

    def create_template(self) -> str:
        """Make an empty database to be migrated; return the URL for that.

        Its tables belong to a role that owns nothing else, so that they can be given
        to the role of each copy.
        """
        self._do(f"CREATE ROLE {{}} NOLOGIN {NOTHING_MORE}", self.owner)
        if not self._is_superuser:
            self._do("GRANT {} TO CURRENT_USER", self.owner)
        self._do("CREATE DATABASE {} TEMPLATE template0", self.template)
        self._do("REVOKE ALL ON DATABASE {} FROM PUBLIC", self.template)
        with self._connect(self.template) as inside:
            allow = sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}")
            inside.execute(allow.format(sql.Identifier(self.owner)))
        options = {"dbname": self.template, "options": f"-c role={self.owner}"}
        return url_of({**self.address, **options})

    def finish_template(self) -> None:
        """Take the right to make more in it back, which copies would inherit."""
        with self._connect(self.template) as inside:
            forbid = sql.SQL("REVOKE CREATE, USAGE ON SCHEMA public FROM {}")
            inside.execute(forbid.format(sql.Identifier(self.owner)))

    def close(self) -> None:
        """Remove all that this harness has made, and end the connection."""
        if self._connection is None:
            return
        if not self.own:  # a server of our own ends with all that is in it
            with contextlib.suppress(psycopg.Error):
                for name in list(self._made):
                    self.drop(name)
                self._remove(self.token)
        self._connection.close()
        self._connection = None

    def _remove_stale(self) -> None:
        living = {
            name
            for (name,) in self._ask("SELECT application_name FROM pg_stat_activity")
        }
        found = self._ask(
            "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s) "
            "UNION SELECT datname FROM pg_database WHERE starts_with(datname, %s)",
            *(PREFIX, PREFIX),
        )
        length = len(self.token)
        for token in {name[:length] for (name,) in found} - living:
            with contextlib.suppress(psycopg.Error):
                self._remove(token)

    def _remove(self, token: str) -> None:
        """Remove databases, then roles whose names begin with the token."""
        for kind, column, table, more in (
            ("DATABASE", "datname", "pg_database", " WITH (FORCE)"),
            ("ROLE", "rolname", "pg_roles", ""),
        ):
            select = f"SELECT {column} FROM {table} WHERE starts_with({column}, %s)"
            for (name,) in self._ask(select, f"{token}_"):
                self._do(f"DROP {kind} IF EXISTS {{}}{more}", name)

    def _do(self, statement: str, *names: str) -> None:
        self._connected().execute(
            sql.SQL(statement).format(*map(sql.Identifier, names))
        )

    def _ask(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        return self._connected().execute(statement, values).fetchall()

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = self._connect(self.address.get("dbname", "postgres"))
        return self._connection

    def _connect(self, database: str) -> psycopg.Connection[Any]:
        to = {**self.address, "dbname": database, "application_name": self.token}
        return psycopg.connect(
            url_of(to), autocommit=True, connect_timeout=CONNECT_LIMIT_S
        )
