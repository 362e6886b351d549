"""Reads a checkpoint database as data: nothing in it is revived or run."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import ormsgpack

BUSY_S = 0.2  # a submission may hold a lock for a moment
TEXTS_LIMIT = 200  # texts of one checkpoint that are kept
TEXT_LENGTH = 300
QUERY = """
    SELECT thread_id, checkpoint_ns, count(*), max(checkpoint_id), type, checkpoint
    FROM checkpoints GROUP BY thread_id, checkpoint_ns ORDER BY max(rowid)
"""


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


def _query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    if path.is_symlink() or not path.is_file():
        return []
    uri = f"{path.as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, timeout=BUSY_S, uri=True)) as database:
        return database.execute(sql).fetchall()


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
