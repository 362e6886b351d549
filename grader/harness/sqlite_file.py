"""Reads a SQLite file that a submission has made, and runs nothing that is in it.

A view, a virtual table or a computed column is a program: one that lies, never ends or
takes all memory there is. What lies beside the file, SQLite would open too, and a file
that is cut while SQLite has it mapped ends the process: so it opens a copy of our own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader import locked

BUSY_S = 0.2  # a submission may be writing for a moment
ROWS_LIMIT = 2000  # of one table
READ_LIMIT_B = 16 * 1024 * 1024  # of one file, and of all answers together
ROW_B = 100  # what a row takes in memory beside its values
# So many instructions of SQLite's machine, about a second, are what one question may
# take. One that is a function may take for ever, so none of a submission's is called.
STEPS_LIMIT = 20_000_000
# To read the schema is one step for each table, however long its text. So there is a
# limit of time too, for all questions together, which no honest file comes near.
LOOK_LIMIT_S = 10.0
AGAIN_S = 0.05  # an interruption between two questions is of no effect
FUNCTIONS = ("count", "max")
LOG, JOURNAL = "-wal", "-journal"  # what SQLite opens too, if it is there
LOG_HEADER_B, HEADER_B = 32, 100
# A named pipe has no end, and a link leads anywhere, also where one is put there after
# it was looked at.
FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
FLAGS |= getattr(os, "O_BINARY", 0)
COLUMNS = "SELECT lower(name), hidden FROM pragma_table_xinfo(?)"
ROW_NUMBERS = {"rowid", "oid", "_rowid_"}
KIND = "SELECT type, rootpage FROM sqlite_master WHERE name = ? COLLATE NOCASE"


class NotRead(sqlite3.Error):
    """What a submission keeps so that it cannot be read as data, or not in full."""


class Reader:
    """Answers questions about a file, all with one connection; see `opened`."""

    def __init__(self, database: sqlite3.Connection | None) -> None:
        self._database, self._left_b = database, READ_LIMIT_B

    def query(self, sql: str, table: str = "") -> list[tuple[Any, ...]]:
        """Return what is found in an ordinary table, or "" in SQLite's own.

        In a table that is not there nothing is found.

        Raises:
            NotRead: to read it would run what a submission has put into its place.
            sqlite3.Error: it has other columns, or its file is damaged.
        """
        if self._database is None:
            return []
        self._database.set_authorizer(None)
        if table and not _is_table(self._database, table):
            return []
        self._database.set_authorizer(_allowed)
        rows = []
        for row in self._database.execute(sql):
            sizes = (len(value) for value in row if isinstance(value, str | bytes))
            self._left_b -= ROW_B + sum(sizes)
            if self._left_b < 0:
                raise NotRead(f"more than {READ_LIMIT_B} bytes")
            rows.append(row)
        return rows


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Take a file as it is now for some questions; in none nothing is found.

    Raises:
        NotRead: it is no file, or changed all the time.
        sqlite3.Error: it is no database.
    """
    if not os.path.lexists(path):
        yield Reader(None)
        return
    with locked.kept() as folder:
        copy = folder / "copy.db"
        for end, data in _taken(path).items():
            if data:
                copy.with_name(copy.name + end).write_bytes(data)
        with (
            contextlib.closing(sqlite3.connect(copy)) as database,
            _interrupted(database, LOOK_LIMIT_S),
        ):
            database.execute("PRAGMA trusted_schema=OFF")
            database.execute("PRAGMA temp_store=MEMORY")
            database.execute("PRAGMA locking_mode=EXCLUSIVE")  # needs no shared memory
            database.set_progress_handler(lambda: 1, STEPS_LIMIT)
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, READ_LIMIT_B)
            database.text_factory = _text
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if os.name == "posix":  # or SQLite would write back the log at its end
                shutil.rmtree(folder, ignore_errors=True)
            yield Reader(database)


@contextlib.contextmanager
def _interrupted(database: sqlite3.Connection, limit_s: float) -> Iterator[None]:
    """End every question after a while, from outside: SQLite lets others run."""
    done = threading.Event()

    def interrupt() -> None:
        ended = done.wait(limit_s)
        while not ended:
            database.interrupt()
            ended = done.wait(AGAIN_S)

    clock = threading.Thread(target=interrupt, daemon=True)
    clock.start()
    try:
        yield
    finally:
        done.set()
        clock.join()


def _taken(path: Path) -> dict[str, bytes]:
    """Return a file and its write-ahead log as they were together.

    A log may grow meanwhile, and what is in it be written to the file: what SQLite
    makes of both stays the same, until the log begins anew. Without a log the file
    itself must stay the same, and no transaction be under way.
    """
    deadline = time.monotonic() + BUSY_S
    while True:
        before = _state(path)
        files = {"": _bytes(path), LOG: _bytes(path, LOG)}
        if before == _state(path) and not _bytes(path, JOURNAL, 1).strip(b"\0"):
            return files
        if time.monotonic() > deadline:
            raise NotRead("it is being written")
        time.sleep(0)


def _state(path: Path) -> tuple[Any, ...]:
    """Return what changes when the content does that SQLite would see."""
    log = _bytes(path, LOG, LOG_HEADER_B)
    if log:
        return (log,)
    try:
        about = path.lstat()
    except OSError:  # it has gone, and may come back
        return ()
    return (about.st_ino, about.st_size, about.st_mtime_ns, _bytes(path, "", HEADER_B))


def _bytes(path: Path, end: str = "", limit_b: int = READ_LIMIT_B + 1) -> bytes:
    """Return the start of a regular file; nothing of none."""
    path = path.with_name(path.name + end)
    try:
        handle = os.open(path, FLAGS)
    except FileNotFoundError:
        return b""
    except OSError as problem:  # a link, or closed to us
        raise NotRead(f"{path.name}: {problem.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotRead(f"{path.name} is no file")
        with open(handle, "rb", buffering=0, closefd=False) as file:
            data = file.read(limit_b)
    finally:
        os.close(handle)
    if len(data) > READ_LIMIT_B:
        raise NotRead(f"more than {READ_LIMIT_B} bytes")
    return data


def _is_table(database: sqlite3.Connection, name: str) -> bool:
    """Whether there is such a table; raise where reading it would compute."""
    found = False
    for kind, page in database.execute(KIND, [name]):
        if kind in ("table", "view") and (kind == "view" or not page):
            raise NotRead("no ordinary table")
        found = found or kind == "table"
    columns = database.execute(COLUMNS, [name]).fetchall()
    if any(hidden for _, hidden in columns):
        raise NotRead("a column that is computed")
    if any(column in ROW_NUMBERS for column, _ in columns):
        raise NotRead("a column in the place of the row number")
    if columns and not found:
        raise NotRead("a table of another name")
    return found


def _allowed(
    action: int, name: str | None, what: str | None, *where: str | None
) -> int:
    """Let nobody call a function but ours, whatever the schema says."""
    ours = action != sqlite3.SQLITE_FUNCTION or what in FUNCTIONS
    return sqlite3.SQLITE_OK if ours else sqlite3.SQLITE_DENY


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def read(path: Path, limit_b: int = READ_LIMIT_B) -> bytes:
    """Return the start of a regular file; nothing of anything else."""
    with contextlib.suppress(NotRead):
        return _bytes(path, limit_b=min(limit_b, READ_LIMIT_B))
    return b""


def size_b(path: Path) -> int:
    """Return the size of a file, in bytes; 0 where there is none."""
    with contextlib.suppress(OSError):
        return path.lstat().st_size
    return 0
