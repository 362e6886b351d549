"""Reads a checkpoint database as data: nothing in it is revived or run."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from grader.harness import contents
from grader.harness.contents import Row
from grader.harness.leaks import Secrets, report
from grader.harness.sqlite_file import (
    READ_LIMIT_B,
    ROWS_LIMIT,
    NotRead,
    Reader,
    opened,
    read,
    size_b,
)
from grader.harness.texts import texts

TABLES_LIMIT = 50
NAME_LENGTH = 100  # of a table, in a report
UNKNOWN = -1  # the process whose key it may be
CHECKPOINTS = f"""
    SELECT thread_id, checkpoint_ns, checkpoint_id, type, checkpoint, metadata
    FROM checkpoints ORDER BY rowid LIMIT {ROWS_LIMIT + 1}
"""
WRITES = f"""
    SELECT thread_id, checkpoint_ns, checkpoint_id, channel, type, value
    FROM writes ORDER BY rowid LIMIT {ROWS_LIMIT + 1}
"""
TABLES = f"""
    SELECT name FROM sqlite_master WHERE type = 'table' LIMIT {TABLES_LIMIT}
"""


def create(path: Path) -> None:
    """Create an empty database in WAL mode.

    Two savers that switch a new file to WAL mode at once get "database is locked"
    now and then, which no exercise is about.
    """
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")


def holds(path: Path, text: str) -> bool:
    """Whether the text stands in any checkpoint."""
    with contextlib.suppress(sqlite3.Error), opened(path) as reader:
        rows = reader.query("SELECT checkpoint FROM checkpoints", "checkpoints")
        return any(text.encode() in bytes(blob or b"") for (blob,) in rows)
    return False


def inspect(path: Path, secrets: Secrets) -> dict[str, Any]:
    """Return what the database holds, value by value, and which keys stand in it.

    `threads` lists each thread's number of checkpoints and the texts of its latest one,
    None where it is of a form that cannot be read without running code, `foreign`
    values that are neither plain data nor a message, or cannot be read, `keys` where a
    process's API key stands and in which encoding, `rows` the latest checkpoint of
    each thread as text, `sizes_b` the bytes of each checkpoint by thread, and
    `size_b` those of all files of the database.
    """
    troubles: list[dict[str, str]] = []
    rows: list[Row] = []
    found = [*in_files(path.parent, secrets)]
    try:
        with opened(path) as reader:
            rows += _rows(reader, troubles)
            # A value may be spread over pages: the file holds no key in one piece.
            found += in_cells(_cells(reader), secrets)
    except sqlite3.Error as problem:
        troubles.append(_trouble(path.name, problem))
    latest = {r.thread: r for r in rows if r.place == "checkpoint" and not r.namespace}
    return {
        "threads": _threads(rows),
        "foreign": [*contents.foreign(rows), *troubles],
        "keys": report(found),
        "rows": [
            {"thread": row.thread, "channels": contents.channels([row], secrets)}
            for row in latest.values()
        ],
        "sizes_b": contents.sizes_b(rows),
        "size_b": sum(map(size_b, path.parent.glob(f"{path.name}*"))),
    }


def in_files(folder: Path, secrets: Secrets) -> Iterator[tuple[str, int, str]]:
    """Yield where, whose and how for every key in the files of a folder.

    What is more than a look may read in all counts as a key that nobody has found.
    """
    left_b = READ_LIMIT_B
    for file in sorted(folder.glob("*")):
        data = read(file, left_b + 1)
        left_b -= len(data)
        if left_b < 0:
            yield f"more than {READ_LIMIT_B} bytes of files", UNKNOWN, "unread"
            return
        for owner, how in secrets.found_in(data):
            yield file.name, owner, how


def in_cells(
    cells: Iterable[tuple[str, bytes]], secrets: Secrets
) -> Iterator[tuple[str, int, str]]:
    """Yield where, whose and how for every key in what tables and the like hold."""
    for place, value in dict.fromkeys(cells):
        for owner, how in (*secrets.found_in(value), *secrets.packed_in(value)):
            yield place, owner, how


def _rows(reader: Reader, troubles: list[dict[str, str]]) -> Iterator[Row]:
    """Yield every value that LangGraph's SQLite saver has stored, oldest first.

    What hides from that is noted, as a value that is no data.
    """
    for *head, form, blob, notes in _table(
        reader, CHECKPOINTS, "checkpoints", troubles
    ):
        thread, namespace, checkpoint = map(str, head)
        known = (thread, namespace, checkpoint)
        yield _checkpoint(*known, form, blob)
        yield Row(*known, "metadata", "", "json", _bytes(notes))
    for *head, form, blob in _table(reader, WRITES, "writes", troubles):
        thread, namespace, checkpoint, channel = map(str, head)
        known = (thread, namespace, checkpoint)
        yield Row(*known, "write", channel, str(form), _bytes(blob))


def _table(
    reader: Reader, sql: str, name: str, troubles: list[dict[str, str]]
) -> list[tuple[Any, ...]]:
    try:
        rows = reader.query(sql, name)
    except sqlite3.Error as problem:
        rows, why = [], problem
    else:
        if len(rows) <= ROWS_LIMIT:
            return rows
        why = NotRead(f"more than {ROWS_LIMIT} rows")
    troubles.append(_trouble(f"table {name}", why))
    return rows[:ROWS_LIMIT]


def _trouble(where: str, why: sqlite3.Error) -> dict[str, str]:
    what = f"what could not be read ({why})"
    return {"thread": "", "where": where, "type": what}


def _threads(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return each thread's number of checkpoints and its latest, the last one last."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.place == "checkpoint":
            key = row.thread, row.namespace
            found[key] = [*found.pop(key, ()), row]
    return [
        {
            "thread": thread,
            "namespace": space,
            "checkpoints": len(own),
            "latest": max(own, key=lambda row: row.checkpoint).checkpoint,
            "texts": texts([max(own, key=lambda row: row.checkpoint)]),
        }
        for (thread, space), own in found.items()
    ]


def _checkpoint(thread: str, space: str, number: str, form: str, blob: Any) -> Row:
    known = (str(thread), str(space), str(number))
    return Row(*known, "checkpoint", "", str(form), _bytes(blob))


def _cells(reader: Reader) -> Iterator[tuple[str, bytes]]:
    """Yield where and what: every text and blob of every table."""
    with contextlib.suppress(sqlite3.Error):
        for (table,) in reader.query(TABLES):
            quoted = str(table).replace('"', '""')
            with contextlib.suppress(sqlite3.Error):
                select = f'SELECT * FROM "{quoted}" LIMIT {ROWS_LIMIT}'
                for row in reader.query(select, str(table)):
                    for value in row:
                        if isinstance(value, str | bytes):
                            yield f"table {table}"[:NAME_LENGTH], _bytes(value)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return str("" if value is None else value).encode("utf-8", "surrogateescape")
