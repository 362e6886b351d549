"""Reads a checkpoint database as data: nothing in it is revived or run."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from grader.harness import contents
from grader.harness.contents import Row
from grader.harness.leaks import Secrets, report
from grader.harness.texts import texts

BUSY_S = 0.2  # a submission may hold a lock for a moment
ROWS_LIMIT = 2000  # of one table
READ_LIMIT_B = 64 * 1024 * 1024  # of one file
# A submission may put a view in the place of a table: so many instructions of SQLite's
# machine, about a second, are what one question may take.
STEPS_LIMIT = 20_000_000
QUERY = """
    SELECT thread_id, checkpoint_ns, count(*), max(checkpoint_id), type, checkpoint
    FROM checkpoints GROUP BY thread_id, checkpoint_ns ORDER BY max(rowid)
"""
CHECKPOINTS = f"""
    SELECT thread_id, checkpoint_ns, checkpoint_id, type, checkpoint, metadata
    FROM checkpoints ORDER BY rowid LIMIT {ROWS_LIMIT}
"""
WRITES = f"""
    SELECT thread_id, checkpoint_ns, checkpoint_id, channel, type, value
    FROM writes ORDER BY rowid LIMIT {ROWS_LIMIT}
"""
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 50"


def create(path: Path) -> None:
    """Create an empty database in WAL mode.

    Two savers that switch a new file to WAL mode at once get "database is locked"
    now and then, which no exercise is about.
    """
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")


def threads(path: Path) -> list[dict[str, Any]]:
    """Return each thread's number of checkpoints and the texts of its latest one.

    A database that is missing, locked or no database has no threads; `texts` is None
    where a checkpoint is of a form that cannot be read without running code.
    """
    with contextlib.suppress(sqlite3.Error):
        return [
            {
                "thread": str(thread),
                "namespace": str(space),
                "checkpoints": count,
                "latest": str(latest),
                "texts": texts([_checkpoint(thread, space, latest, form, blob)]),
            }
            for thread, space, count, latest, form, blob in _query(path, QUERY)
        ]
    return []


def holds(path: Path, text: str) -> bool:
    """Whether the text stands in any checkpoint."""
    with contextlib.suppress(sqlite3.Error):
        rows = _query(path, "SELECT checkpoint FROM checkpoints")
        return any(text.encode() in bytes(blob or b"") for (blob,) in rows)
    return False


def inspect(path: Path, secrets: Secrets) -> dict[str, Any]:
    """Return what the database holds, value by value, and which keys stand in it.

    `foreign` lists values that are neither plain data nor a message, `keys` where a
    process's API key stands and in which encoding, `rows` the latest checkpoint of
    each thread as text, `sizes_b` the bytes of each checkpoint by thread, and
    `size_b` those of all files of the database.
    """
    rows = list(_rows(path))
    latest = {r.thread: r for r in rows if r.place == "checkpoint" and not r.namespace}
    # A value may be spread over pages, so that the file holds no key in one piece.
    found = [*in_files(path.parent, secrets), *in_cells(_cells(path), secrets)]
    files = path.parent.glob(f"{path.name}*")
    return {
        "foreign": contents.foreign(rows),
        "keys": report(found),
        "rows": [
            {"thread": row.thread, "channels": contents.channels([row], secrets)}
            for row in latest.values()
        ],
        "sizes_b": contents.sizes_b(rows),
        "size_b": sum(len(_read(file)) for file in files),
    }


def in_files(folder: Path, secrets: Secrets) -> Iterator[tuple[str, int, str]]:
    """Yield where, whose and how for every key in the files of a folder."""
    for file in sorted(folder.glob("*")):
        for owner, how in secrets.found_in(_read(file)):
            yield file.name, owner, how


def in_cells(
    cells: Iterable[tuple[str, bytes]], secrets: Secrets
) -> Iterator[tuple[str, int, str]]:
    """Yield where, whose and how for every key in what tables and the like hold."""
    for place, value in cells:
        for owner, how in (*secrets.found_in(value), *secrets.packed_in(value)):
            yield place, owner, how


def _rows(path: Path) -> Iterator[Row]:
    """Yield every value that LangGraph's SQLite saver has stored, oldest first."""
    with contextlib.suppress(sqlite3.Error):
        for *head, form, blob, notes in _query(path, CHECKPOINTS):
            thread, namespace, checkpoint = map(str, head)
            known = (thread, namespace, checkpoint)
            yield _checkpoint(*known, form, blob)
            yield Row(*known, "metadata", "", "json", _bytes(notes))
    with contextlib.suppress(sqlite3.Error):
        for *head, form, blob in _query(path, WRITES):
            thread, namespace, checkpoint, channel = map(str, head)
            known = (thread, namespace, checkpoint)
            yield Row(*known, "write", channel, str(form), _bytes(blob))


def _checkpoint(thread: str, space: str, number: str, form: str, blob: Any) -> Row:
    known = (str(thread), str(space), str(number))
    return Row(*known, "checkpoint", "", str(form), _bytes(blob))


def _cells(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield where and what: every text and blob of every table."""
    with contextlib.suppress(sqlite3.Error):
        for (table,) in _query(path, TABLES):
            quoted = str(table).replace('"', '""')
            with contextlib.suppress(sqlite3.Error):
                for row in _query(path, f'SELECT * FROM "{quoted}" LIMIT {ROWS_LIMIT}'):
                    for value in row:
                        if isinstance(value, str | bytes):
                            yield f"table {table}", _bytes(value)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return str("" if value is None else value).encode("utf-8", "surrogateescape")


def _read(path: Path) -> bytes:
    """Return the start of a regular file; nothing of anything else."""
    with contextlib.suppress(OSError):
        if stat.S_ISREG(path.lstat().st_mode):
            with path.open("rb") as file:
                return file.read(READ_LIMIT_B)
    return b""


def _query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    if path.is_symlink() or not path.is_file():
        return []
    uri = f"{path.as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, timeout=BUSY_S, uri=True)) as database:
        database.execute("PRAGMA trusted_schema=OFF")
        database.set_progress_handler(lambda: 1, STEPS_LIMIT)
        database.text_factory = _text
        return database.execute(sql).fetchall()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
