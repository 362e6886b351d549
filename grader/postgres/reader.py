"""Reads what a submission stored, as data: nothing of it is revived or run.

The role of a reader may see what the submission's role may, and nothing more: a view
or a type that the submission has made runs with the rights of whoever reads it. So
only ordinary tables are read, and nothing is cast by what the submission defines.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from grader.postgres.address import parsed, url_of
from grader.postgres.limits import (
    CONNECT_LIMIT_S,
    LOCK_LIMIT_MS,
    READ_LIMIT_B,
    ROWS_LIMIT,
    STATEMENT_LIMIT_MS,
    TABLES_LIMIT,
    VALUE_LIMIT_B,
)

# These win over what a submission sets for its database; a row that a policy would
# hide is an error instead.
SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": STATEMENT_LIMIT_MS,
    "lock_timeout": LOCK_LIMIT_MS,
    "row_security": "off",
    "search_path": "pg_catalog",
    "client_encoding": "UTF8",
    "bytea_output": "hex",
}
BATCH = 50  # rows that are held at once
BYTEA = "bytea"
TABLES = """
    SELECT n.nspname, c.relname, pg_total_relation_size(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND NOT starts_with(n.nspname, 'pg_')
    AND n.nspname <> 'information_schema' ORDER BY c.oid LIMIT %s
"""
COLUMNS = """
    SELECT a.attname, t.typname FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_type t ON t.oid = a.atttypid
    AND t.typnamespace = 'pg_catalog'::regnamespace
    WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""
OBJECTS = "SELECT oid::text, lo_get(oid, 0, %s) FROM pg_largeobject_metadata LIMIT %s"


class Unreadable(Exception):
    """What is stored cannot be read now; says which part of it, and why."""

    def __init__(self, where: str, problem: Exception) -> None:
        self.where = where
        self.why = type(problem).__name__
        super().__init__(f"{where}: {self.why}")


@dataclass(frozen=True, slots=True)
class Table:
    """An ordinary table, and what it takes on the disk."""

    schema: str
    name: str
    size_b: int

    def __str__(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


class Reader:
    """One connection to one database; it is opened when it is first needed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None
        self._left_b = READ_LIMIT_B
        self.left_out: list[str] = []  # what a limit has hidden since `tables`

    def tables(self) -> list[Table]:
        """Return the tables that are not PostgreSQL's own, oldest first.

        Raises:
            Unreadable: the database cannot be reached.
        """
        self._left_b = READ_LIMIT_B
        with self._reading("the database") as connection:
            found = connection.execute(TABLES, [TABLES_LIMIT + 1]).fetchall()
        self.left_out = ["more tables"] if len(found) > TABLES_LIMIT else []
        return [Table(*row) for row in found[:TABLES_LIMIT]]

    def rows(self, table: Table) -> Iterator[dict[str, bytes]]:
        """Yield a table's rows by column, each value as bytes or as the text it has.

        Of one table, one value and all that is read since `tables` so much is given
        as `limits` says.

        Raises:
            Unreadable: it cannot be read, or not in time.
        """
        with self._reading(f"table {table}") as connection:
            columns = connection.execute(COLUMNS, [table.schema, table.name]).fetchall()
            if not columns:
                return
            values = sql.SQL(", ").join(_value(*column) for column in columns)
            where = sql.Identifier(table.schema, table.name)
            select = sql.SQL("SELECT {} FROM {} LIMIT {}")
            with connection.cursor("rows") as cursor:
                cursor.itersize = BATCH
                cursor.execute(select.format(values, where, ROWS_LIMIT + 1))
                for count, row in enumerate(cursor):
                    found = [_bytes(value) for value in row]
                    self._left_b -= sum(map(len, found))
                    if self._left_b < 0 or count == ROWS_LIMIT:
                        self.left_out.append(f"more of table {table}")
                        return
                    yield {n: v for (n, _), v in zip(columns, found, strict=True)}

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """Yield where and what: PostgreSQL's large objects.

        Raises:
            Unreadable: they cannot be read, or not in time.
        """
        with self._reading("large objects") as connection:
            for number, value in connection.execute(
                OBJECTS, [VALUE_LIMIT_B, TABLES_LIMIT]
            ):
                yield f"large object {number}", _bytes(value)

    def any(self, where: Table, condition: LiteralString, *values: Any) -> bool:
        """Return whether a row of the table meets the condition.

        Raises:
            Unreadable: the table cannot be read, or has no such columns.
        """
        with self._reading(f"table {where}") as connection:
            table = sql.Identifier(where.schema, where.name)
            select = sql.SQL("SELECT 1 FROM {} WHERE {} LIMIT 1")
            asked = select.format(table, sql.SQL(condition))
            return connection.execute(asked, values).fetchone() is not None

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _reading(self, where: str) -> Iterator[psycopg.Connection[Any]]:
        try:
            if self._connection is None or self._connection.closed:
                options = " ".join(f"-c {name}={v}" for name, v in SETTINGS.items())
                self._connection = psycopg.connect(
                    url_of(parsed(self._url) | {"options": options}),
                    connect_timeout=CONNECT_LIMIT_S,
                    autocommit=True,
                    prepare_threshold=None,
                )
            with self._connection.transaction():
                yield self._connection
        except (psycopg.Error, UnicodeError) as problem:
            raise Unreadable(where, problem) from problem


def _value(name: str, kind: str | None) -> sql.Composable:
    """Return how to select a column: as it is, or by its type's own text.

    A cast may be of the submission's making, and `format` uses none.
    """
    column, limit = sql.Identifier(name), sql.Literal(VALUE_LIMIT_B)
    if kind == BYTEA:
        return sql.SQL("substr({}, 1, {})").format(column, limit)
    return sql.SQL("left(format('%s', {}), {})").format(column, limit)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str("" if value is None else value).encode("utf-8", "surrogateescape")
