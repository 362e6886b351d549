"""A database file or a reply that is a program, or too much, is no trouble of ours."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from grader.harness import border, checkpoints, contents, decoding, sqlite_file
from grader.harness.contents import Row
from grader.harness.leaks import Secrets
from grader.harness.texts import texts

COLUMNS = "thread_id, checkpoint_ns, checkpoint_id, type, metadata"
ROW = "'t' AS thread_id, '' AS checkpoint_ns, '1' AS checkpoint_id, 'json' AS type"
# Each would lie, take all memory, or never end, for whoever reads it.
PROGRAMS = {
    "a view": (
        f"CREATE VIEW checkpoints AS SELECT {ROW}, '{{}}' AS metadata, "
        "zeroblob(400000000) AS checkpoint, 1 AS rowid",
    ),
    "a column": (
        f"CREATE TABLE checkpoints ({COLUMNS})",
        "INSERT INTO checkpoints VALUES ('t', '', '1', 'json', '{}')",
        "ALTER TABLE checkpoints ADD COLUMN checkpoint AS "
        "(instr(zeroblob(60000000), zeroblob(20000000) || char(1)))",
    ),
    "a table of a module": ("CREATE VIRTUAL TABLE checkpoints USING fts5(thread_id)",),
    "other columns": (f"CREATE TABLE checkpoints ({COLUMNS}, renamed)",),
    "own row numbers": (f"CREATE TABLE checkpoints ({COLUMNS}, checkpoint, ROWID)",),
    "another name": (
        "CREATE TABLE checkpoints (thread_id)",
        "PRAGMA writable_schema=ON",
        "UPDATE sqlite_master SET name = name || char(0) || 'x'",
    ),
    "no row numbers": (
        f"CREATE TABLE checkpoints ({COLUMNS}, checkpoint, PRIMARY KEY (thread_id)) "
        "WITHOUT ROWID",
    ),
    "many rows": (
        f"CREATE TABLE checkpoints ({COLUMNS}, checkpoint)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2001) "
        "INSERT INTO checkpoints SELECT 't', '', i, 'json', '{}', '{}' FROM n",
    ),
}


def stored(folder: Path, *statements: str) -> Path:
    """Return a database in which a submission did this."""
    path = folder / "checkpoints.db"
    checkpoints.create(path)
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    return path


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_program_is_run_and_nothing_is_hidden(tmp_path: Path, name: str) -> None:
    """what is no plain table is not read, and what is not read is said to be foreign"""
    path = stored(tmp_path, *PROGRAMS[name])
    seen = checkpoints.inspect(path, Secrets({}))
    (found,) = seen["foreign"]
    assert "could not be read" in found["type"]
    threads = [thread["thread"] for thread in seen["threads"]]
    assert threads == ["t"] * (name == "many rows")


def test_a_column_of_another_table(tmp_path: Path) -> None:
    """a table that only keys are looked for in is not computed either"""
    other = (
        "ALTER TABLE t ADD COLUMN b AS (instr(zeroblob(60000000), zeroblob(2e7)||1))"
    )
    path = stored(tmp_path, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)", other)
    assert checkpoints.inspect(path, Secrets({}))["keys"] == []


# What may lie where SQLite looks for a file of its own.
IN_THE_WAY: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a link": lambda path: path.symlink_to("other"),
    "a folder": Path.mkdir,
    "a transaction": lambda path: path.write_bytes(b"\xd9\xd5"),
}


@pytest.mark.parametrize("end", ["", "-wal", "-journal"])
@pytest.mark.parametrize("what", IN_THE_WAY)
def test_what_is_in_the_way(tmp_path: Path, what: str, end: str) -> None:
    """what is no file is not waited for and not followed, and hides nothing"""
    path = stored(tmp_path, f"CREATE TABLE checkpoints ({COLUMNS}, checkpoint)")
    path.with_name(path.name + end).unlink(missing_ok=True)
    IN_THE_WAY[what](path.with_name(path.name + end))
    seen = checkpoints.inspect(path, Secrets({}))
    assert seen["threads"] == []
    # SQLite passes over a log that is none.
    hidden = 0 if (what, end) == ("a transaction", "-wal") else 1
    assert [each["where"] for each in seen["foreign"]] == [path.name] * hidden


def test_memory_that_is_taken_away(tmp_path: Path) -> None:
    """to cut what processes share of a file while it is read ends no reader"""
    path = stored(tmp_path, "CREATE TABLE t (a)")
    with closing(sqlite3.connect(path)) as database:
        database.execute("INSERT INTO t VALUES (1)")
        database.commit()
        with sqlite_file.opened(path) as reader:
            assert reader.query("SELECT a FROM t", "t") == [(1,)]
            os.truncate(f"{path}-shm", 0)
            assert reader.query("SELECT a FROM t", "t") == [(1,)]
        os.truncate(f"{path}-shm", 2**15)  # or it ends SQLite here


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_what_is_written_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """a file and its log are taken as they were together, or once more"""
    path = stored(tmp_path, "CREATE TABLE t (a)")
    taken = sqlite_file._bytes
    writer = sqlite3.connect(path)
    writer.execute(f"PRAGMA journal_mode={mode}")

    def write() -> None:
        writer.execute("INSERT INTO t VALUES (1)")
        writer.commit()
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def slowly(path: Path, end: str = "", *limit: int) -> bytes:
        data = taken(path, end, *limit)
        if end == "" and not limit and waiting:
            waiting.pop()()  # the file is taken, and its log not yet
        return data

    write()
    waiting = [write, write]
    monkeypatch.setattr(sqlite_file, "_bytes", slowly)
    with closing(writer), sqlite_file.opened(path) as reader:
        assert reader.query("SELECT a FROM t", "t") == [(1,)] * 3
    assert not waiting


def test_who_locks_it_hides_nothing(tmp_path: Path) -> None:
    """a database that one process keeps for itself is read all the same"""
    path = stored(tmp_path, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA locking_mode=EXCLUSIVE")
        database.execute("BEGIN EXCLUSIVE")
        with sqlite_file.opened(path) as reader:
            assert reader.query("SELECT a FROM t", "t") == [(1,)]


def test_a_file_that_never_rests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a file that is another one each time is given up, and that is said"""
    path = stored(tmp_path, "CREATE TABLE t (a)")
    states = itertools.count()
    monkeypatch.setattr(sqlite_file, "_state", lambda _: next(states))
    (found,) = checkpoints.inspect(path, Secrets({}))["foreign"]
    assert found["type"] == "what could not be read (it is being written)"


def nested(levels: int) -> bytes:
    """Return msgpack whose extensions hold deep lists, and extensions in these."""
    blob = b"\xc0"
    for _ in range(levels):
        blob = b"\x91" * 1000 + blob
        blob = b"\xc9" + len(blob).to_bytes(4, "big") + b"\x05" + blob
    return blob


def test_nested_extensions() -> None:
    """extensions inside each other do not take the stack of who reads them"""
    with pytest.raises(ValueError, match="expected msgpack"):
        decoding.decode("msgpack", nested(40))
    row = Row("t", "", "1", "checkpoint", "", "msgpack", nested(40))
    assert texts([row]) is None
    assert contents.foreign([row])


@pytest.mark.parametrize("form", ["msgpack", "json"])
def test_nested_lists(form: str) -> None:
    """a deep value is foreign, and is shown as far as it can be"""
    deep = b"\x91" * 980 + b"\xa1x" if form == "msgpack" else b"[" * 900 + b"]" * 900
    head = b"\x81\xaechannel_values\x81\xa1a\x81\xa1k"
    text = head + deep if form == "msgpack" else b'{"channel_values":{"a":%s}}' % deep
    row = Row("t", "", "1", "checkpoint", "", form, text)
    (shown,) = contents.channels([row], Secrets({0: "sk-123"}))
    assert len(json.dumps(shown)) < 1000
    assert contents.foreign([row])


def test_beside_the_channels() -> None:
    """a pickle that a saver keeps beside the channels is found as well"""
    text = b"\x81\xa5extra\xc4\x04\x80\x04N."
    row = Row("t", "", "1", "checkpoint", "", "msgpack", text)
    (found,) = contents.foreign([row])
    assert found["type"] == "a pickle"


@pytest.mark.parametrize("form", ["bytes", "json", "null"])
def test_a_checkpoint_without_channels(form: str) -> None:
    """what stands in the place of a checkpoint, and is none, is foreign"""
    (found,) = contents.foreign([Row("t", "", "1", "checkpoint", "", form, b"[]")])
    assert found["type"] == f"what is no checkpoint ({form})"


@pytest.mark.parametrize("number", [b"1e400", b"[-1e999]", b'{"a": 1e309}'])
def test_a_number_without_end(number: bytes) -> None:
    """a number that Python reads as infinity is no JSON, as infinity is none"""
    with pytest.raises(ValueError, match="too large"):
        border.parse(number)
