"""A database file or a reply that is a program, or too much, is no trouble of ours."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from grader.harness import border, checkpoints, contents, sqlite_file
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
    (found,) = checkpoints.inspect(path, Secrets({}))["foreign"]
    assert "could not be read" in found["type"]
    assert [t["thread"] for t in checkpoints.threads(path)] == ["t"] * (
        name == "many rows"
    )


def test_a_column_of_another_table(tmp_path: Path) -> None:
    """a table that only keys are looked for in is not computed either"""
    other = (
        "ALTER TABLE t ADD COLUMN b AS (instr(zeroblob(60000000), zeroblob(2e7)||1))"
    )
    path = stored(tmp_path, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)", other)
    assert checkpoints.inspect(path, Secrets({}))["keys"] == []


def test_a_pipe_beside_the_file(tmp_path: Path) -> None:
    """a named pipe in the place of a journal is not waited for, and hides nothing"""
    path = stored(tmp_path, f"CREATE TABLE checkpoints ({COLUMNS}, checkpoint)")
    os.mkfifo(f"{path}-journal")
    assert checkpoints.threads(path) == []
    wheres = [f["where"] for f in checkpoints.inspect(path, Secrets({}))["foreign"]]
    assert wheres == ["table checkpoints", "table writes"]


def test_a_pipe_between_two_questions(tmp_path: Path) -> None:
    """what is put beside an open file is found before the next question"""
    path = stored(tmp_path, "CREATE TABLE t (a)")
    with sqlite_file.opened(path) as reader:
        assert reader.query("SELECT a FROM t", "t") == []
        os.mkfifo(f"{path}-journal")
        with pytest.raises(sqlite_file.NotRead, match="is no file"):
            reader.query("SELECT a FROM t", "t")


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
        contents.decode("msgpack", nested(40))
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


@pytest.mark.parametrize("number", [b"1e400", b"[-1e999]", b'{"a": 1e309}'])
def test_a_number_without_end(number: bytes) -> None:
    """a number that Python reads as infinity is no JSON, as infinity is none"""
    with pytest.raises(ValueError, match="too large"):
        border.parse(number)
