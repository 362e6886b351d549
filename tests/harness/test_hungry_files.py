"""What a submission keeps takes no more of the judge than a look may take."""

from __future__ import annotations

import os
from pathlib import Path

import ormsgpack
import pytest

from grader.harness import checkpoints, contents, decoding
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


def test_a_key_before_the_limit(tmp_path: Path) -> None:
    """what can be read within the limit is looked at as ever"""
    path = tmp_path / "checkpoints.db"
    checkpoints.create(path)
    (tmp_path / "a.txt").write_text(KEY)
    keys = checkpoints.inspect(path, Secrets({0: KEY}))["keys"]
    assert [key["where"] for key in keys] == ["a.txt"]
