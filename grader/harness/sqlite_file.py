"""Opens a SQLite file that a submission has made, and runs nothing that is in it.

A view, a virtual table or a computed column is a program: one that lies, never ends or
takes all memory there is. And what lies beside the file, SQLite would open too.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BUSY_S = 0.2  # a submission may hold a lock for a moment
ROWS_LIMIT = 2000  # of one table
READ_LIMIT_B = 64 * 1024 * 1024  # of one file, and of the answer to one question
ROW_B = 100  # what a row takes in memory beside its values
# So many instructions of SQLite's machine, about a second, are what one question may
# take. One that is a function may take for ever, so none of a submission's is called.
STEPS_LIMIT = 20_000_000
FUNCTIONS = ("count", "max")
BESIDE = ("-journal", "-wal", "-shm")  # what SQLite opens too, if it is there
COLUMNS = "SELECT hidden FROM pragma_table_xinfo(?)"
KIND = "SELECT type, rootpage FROM sqlite_master WHERE name = ? COLLATE NOCASE"


class NotRead(sqlite3.Error):
    """What a submission keeps so that it cannot be read as data, or not in full."""


class Reader:
    """Answers questions about a file, all with one connection; see `opened`."""

    def __init__(self, path: Path, database: sqlite3.Connection | None) -> None:
        self._path, self._database = path, database

    def query(self, sql: str, table: str = "") -> list[tuple[Any, ...]]:
        """Return what is found in an ordinary table, or "" in SQLite's own.

        Raises:
            NotRead: to read it would run what a submission has put into its place.
            sqlite3.Error: it cannot be read now.
        """
        if self._database is None:
            return []
        for end in BESIDE:  # each time: it may have been put there meanwhile
            beside = self._path.with_name(f"{self._path.name}{end}")
            if not _is_file(beside) and os.path.lexists(beside):
                raise NotRead(f"{beside.name} is no file")
        self._database.set_authorizer(None)
        if table:
            _refuse_all_but_a_table(self._database, table)
        self._database.set_authorizer(_allowed)
        rows, left_b = [], READ_LIMIT_B
        for row in self._database.execute(sql):
            left_b -= ROW_B + sum(len(v) for v in row if isinstance(v, str | bytes))
            if left_b < 0:
                raise NotRead(f"more than {READ_LIMIT_B} bytes")
            rows.append(row)
        return rows


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Open a file for some questions; in one that is not there nothing is found.

    Raises:
        sqlite3.Error: it cannot be opened now.
    """
    if not _is_file(path):
        yield Reader(path, None)
        return
    uri = f"{path.as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, timeout=BUSY_S, uri=True)) as database:
        database.execute("PRAGMA trusted_schema=OFF")
        database.set_progress_handler(lambda: 1, STEPS_LIMIT)
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, READ_LIMIT_B)
        database.text_factory = _text
        yield Reader(path, database)


def _refuse_all_but_a_table(database: sqlite3.Connection, name: str) -> None:
    """Raise where reading would compute: a view, a virtual table, a made-up column."""
    for kind, page in database.execute(KIND, [name]):
        if kind in ("table", "view") and (kind == "view" or not page):
            raise NotRead("no ordinary table")
    if any(hidden for (hidden,) in database.execute(COLUMNS, [name])):
        raise NotRead("a column that is computed")


def _allowed(
    action: int, name: str | None, what: str | None, *where: str | None
) -> int:
    """Let nobody call a function but ours, whatever the schema says."""
    ours = action != sqlite3.SQLITE_FUNCTION or what in FUNCTIONS
    return sqlite3.SQLITE_OK if ours else sqlite3.SQLITE_DENY


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def read(path: Path) -> bytes:
    """Return the start of a regular file; nothing of anything else."""
    # A named pipe has no end, and a link leads anywhere, also where one is put there
    # after it was looked at.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    flags |= getattr(os, "O_BINARY", 0)
    with contextlib.suppress(OSError):
        if _is_file(path):
            with os.fdopen(os.open(path, flags), "rb") as file:
                return file.read(READ_LIMIT_B)
    return b""


def _is_file(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return stat.S_ISREG(path.lstat().st_mode)
    return False
