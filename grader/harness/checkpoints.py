"""Reads a checkpoint database as data: nothing in it is revived or run."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import ormsgpack

from grader.harness import contents
from grader.harness.contents import Row
from grader.harness.leaks import Secrets, report

BUSY_S = 0.2  # a submission may hold a lock for a moment
TEXTS_LIMIT = 200  # texts of one checkpoint that are kept
TEXT_LENGTH = 300
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
                "namespace": str(namespace),
                "checkpoints": count,
                "latest": str(latest),
                "texts": _texts(form, blob),
            }
            for thread, namespace, count, latest, form, blob in _query(path, QUERY)
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
    blobs = {p: _read(p) for p in sorted(path.parent.glob("*"))}
    found = [
        (file.name, owner, how)
        for file, blob in blobs.items()
        for owner, how in secrets.found_in(blob)
    ]
    # A value may be spread over pages, so that the file holds no key in one piece.
    for table, value in _cells(path):
        spelled = (*secrets.found_in(value), *secrets.packed_in(value))
        found += [(f"table {table}", owner, how) for owner, how in spelled]
    return {
        "foreign": contents.foreign(rows),
        "keys": report(found),
        "rows": [
            {"thread": row.thread, "channels": contents.channels(row, secrets)}
            for row in latest.values()
        ],
        "sizes_b": contents.sizes_b(rows),
        "size_b": sum(len(b) for p, b in blobs.items() if p.name.startswith(path.name)),
    }


def _rows(path: Path) -> Iterator[Row]:
    """Yield every value that LangGraph's SQLite saver has stored, oldest first.

    Another database needs its own of these, and nothing else.
    """
    with contextlib.suppress(sqlite3.Error):
        for *head, form, blob, notes in _query(path, CHECKPOINTS):
            thread, namespace, checkpoint = map(str, head)
            known = (thread, namespace, checkpoint)
            yield Row(*known, "checkpoint", "", str(form), _bytes(blob))
            yield Row(*known, "metadata", "", "json", _bytes(notes))
    with contextlib.suppress(sqlite3.Error):
        for *head, form, blob in _query(path, WRITES):
            thread, namespace, checkpoint, channel = map(str, head)
            known = (thread, namespace, checkpoint)
            yield Row(*known, "write", channel, str(form), _bytes(blob))


def _cells(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every text and blob of every table, LangGraph's or not."""
    with contextlib.suppress(sqlite3.Error):
        for (table,) in _query(path, TABLES):
            quoted = str(table).replace('"', '""')
            with contextlib.suppress(sqlite3.Error):
                for row in _query(path, f'SELECT * FROM "{quoted}" LIMIT {ROWS_LIMIT}'):
                    for value in row:
                        if isinstance(value, str | bytes):
                            yield str(table), _bytes(value)


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


def _texts(form: str, blob: bytes) -> list[str] | None:
    try:
        if form == "msgpack":
            state = _unpack(blob)
        elif form == "json":
            state = json.loads(blob)
        else:
            return None
    except (ValueError, RecursionError):
        return None
    values = state.get("channel_values", {}) if isinstance(state, dict) else state
    return [text[:TEXT_LENGTH] for text in islice(_walk(values), TEXTS_LIMIT)]


def _unpack(blob: bytes) -> Any:
    # An extension names a class and its arguments; it is read as the arguments.
    options = ormsgpack.OPT_NON_STR_KEYS
    return ormsgpack.unpackb(
        blob, ext_hook=lambda _, data: _unpack(data), option=options
    )


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _walk(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _walk(item)
