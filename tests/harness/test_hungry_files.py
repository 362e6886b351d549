"""What a submission keeps takes no more of the judge than a look may take."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
from pathlib import Path

import ormsgpack
import pytest

from grader.harness import checkpoints, contents, decoding, sqlite_file
from grader.harness.contents import Row
from grader.harness.leaks import Secrets
from grader.harness.sqlite_file import READ_LIMIT_B
from grader.harness.texts import texts

KEY = "sk-" + "0f" * 16
LARGE = b"\x90" * (decoding.VALUE_LIMIT_B + 1)  # empty lists, one after the other


def row(blob: bytes, form: str = "msgpack") -> Row:
    return Row("t", "", "1", "checkpoint", "", form, blob)


def test_a_name_inside_a_name() -> None:
    """a class whose module is a class whose module is one, and so on, has no name"""
    blob = b"\xa1\\"  # a text that is twice as long each time that it is quoted
    for _ in range(decoding.EXTENSIONS_LIMIT):
        packed = b"\x93" + blob + b"\xa1x\xc0"
        blob = b"\xc9" + len(packed).to_bytes(4, "big") + b"\x05" + packed
    found = decoding.decode("msgpack", blob)
    assert found.name == "extension 5"


def test_a_long_name() -> None:
    """of a name only so much is kept"""
    packed = ormsgpack.packb(["m" * 10_000, "n" * 10_000, None])
    blob = b"\xc9" + len(packed).to_bytes(4, "big") + b"\x05" + packed
    assert len(decoding.decode("msgpack", blob).name) < 1000


@pytest.mark.parametrize("form", ["msgpack", "json", "bytes"])
def test_a_large_value(form: str) -> None:
    """a value that would be gigabytes as data is not decoded, and is foreign"""
    (found,) = contents.foreign([row(LARGE, form)])
    assert "no other program can read" in found["type"]
    assert texts([row(LARGE, form)]) is None


def test_files_with_holes(tmp_path: Path) -> None:
    """files that are large without taking any room are not read for ever"""
    path = tmp_path / "checkpoints.db"
    checkpoints.create(path)
    for number in range(200):
        hole = tmp_path / f"{number}.hole"
        hole.touch()
        os.truncate(hole, 64 * 1024 * 1024)
    keys = checkpoints.inspect(path, Secrets({0: KEY}))["keys"]
    assert [key["where"] for key in keys] == [
        f"more than {READ_LIMIT_B} bytes of files"
    ]


def bomb(path: Path) -> None:
    """Write a schema that is read for hours: a page names another a million times.

    See the file format in SQLite's documentation: an interior page of a table has a
    header of 12 bytes, and cells of a page's number and a key.
    """
    page_b, times = 65536, 7000
    columns = ",".join(f"c{n} CHECK (c{n} IN (1, 2, 3))" for n in range(1000))
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(f"PRAGMA page_size={page_b}")
        database.execute(f"CREATE TABLE a ({columns})")
        database.execute("PRAGMA writable_schema=ON")
        database.execute(
            "UPDATE sqlite_master SET sql = 'CREATE TABLE IF NOT EXISTS a' ||"
            " substr(sql, 15)"
        )
    pages = [path.read_bytes()[at : at + page_b] for at in (0, page_b)]
    # The schema's only row moves to page 3. Page 4 names that often, and page 1 page 4.
    leaf = bytearray(pages[0])
    leaf[:10] = leaf[100:110]

    def names(child: int, begin: int) -> bytes:
        body = bytearray(page_b - begin)
        first = page_b - 7 * times
        body[:12] = struct.pack(">BHHHBI", 5, 0, times, first, 0, child)
        for n in range(times):
            place = first + 7 * n
            body[12 + 2 * n : 14 + 2 * n] = struct.pack(">H", place)
            key = bytes([0x80 | n >> 14, 0x80 | n >> 7 & 0x7F, n & 0x7F])
            body[place - begin : place - begin + 7] = struct.pack(">I", child) + key
        return bytes(body)

    head = bytearray(pages[0][:100])
    head[28:32] = struct.pack(">I", 4)
    path.write_bytes(head + names(4, 100) + pages[1] + bytes(leaf) + names(3, 0))


def test_a_schema_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """a file whose schema is read for hours is left, and what is in it is foreign"""
    path = tmp_path / "checkpoints.db"
    bomb(path)
    monkeypatch.setattr(sqlite_file, "LOOK_LIMIT_S", 0.1)
    (found,) = checkpoints.inspect(path, Secrets({0: KEY}))["foreign"]
    assert "interrupted" in found["type"]


def test_a_key_before_the_limit(tmp_path: Path) -> None:
    """what can be read within the limit is looked at as ever"""
    path = tmp_path / "checkpoints.db"
    checkpoints.create(path)
    (tmp_path / "a.txt").write_text(KEY)
    keys = checkpoints.inspect(path, Secrets({0: KEY}))["keys"]
    assert [key["where"] for key in keys] == ["a.txt"]
