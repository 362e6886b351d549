"""Keys are found in every common encoding, wherever in a value they stand."""

import base64
import codecs
import gzip
import json
import secrets
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from grader.harness import checkpoints
from grader.harness.leaks import Secrets

KEY = "sk-" + secrets.token_hex(16)
OTHER = "sk-" + secrets.token_hex(16)
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "utf-32-le": lambda text: text.encode("utf-32-le"),
    "utf-32-be": lambda text: text.encode("utf-32-be"),
    "base64": lambda text: base64.b64encode(text.encode()),
    "urlsafe base64": lambda text: base64.urlsafe_b64encode(text.encode()),
    "base64 of utf-16": lambda text: base64.b64encode(text.encode("utf-16-le")),
    "base32": lambda text: base64.b32encode(text.encode()),
    "base85": lambda text: base64.b85encode(text.encode()),
    "ascii85": lambda text: base64.a85encode(text.encode()),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "quoted": lambda text: quote(text).encode(),
    "percent": lambda text: "".join(f"%{ord(c):02X}" for c in text).encode(),
    "JSON": lambda text: json.dumps({"key": text}).encode(),
    "\\u": lambda text: "".join(f"\\u{ord(c):04x}" for c in text).encode(),
    "reversed": lambda text: text[::-1].encode(),
    "rot13": lambda text: codecs.encode(text, "rot13").encode(),
    "packed": lambda text: bytes.fromhex(text[-32:]),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("before", range(8))
def test_a_key_is_found_in_each_encoding(encoding: str, before: int) -> None:
    """whatever stands before it, so that each spelling has all of its alignments"""
    data = ENCODINGS[encoding]("k" * before + KEY)
    assert [owner for owner, _ in Secrets({0: KEY, 1: OTHER}).found_in(data)] == [0]


def test_a_short_key_is_found() -> None:
    """a key of another provider may be shorter than what is looked at at once"""
    data = b"the key is 0123abcd, is it not?"
    assert (0, "clear text") in Secrets({0: "sk-0123abcd"}).found_in(data)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_another_key_is_not_found(encoding: str) -> None:
    """no encoding finds what is not there"""
    data = ENCODINGS[encoding]("the key is " + OTHER)
    assert list(Secrets({0: KEY}).found_in(data)) == []


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress])
def test_a_compressed_key_is_found(compress: Callable[[bytes], bytes]) -> None:
    """zlib and gzip hide nothing"""
    value = compress(json.dumps({"api_key": KEY, "model": "m"}).encode())
    assert [owner for owner, _ in Secrets({0: KEY}).packed_in(value)] == [0]


def test_a_bomb_is_not_inflated() -> None:
    """what inflates without end is read up to a limit"""
    bomb = zlib.compress(b"\0" * 50_000_000)
    assert list(Secrets({0: KEY}).packed_in(bomb)) == []


def test_a_mask_leaves_four_characters() -> None:
    """a report may show which key, and not the key"""
    masked = Secrets({0: KEY}).masked(f"a {KEY} and {KEY[3:]}")
    assert masked == f"a sk-…{KEY[-4:]} and …{KEY[-4:]}"


def test_a_key_that_spans_pages_is_found(tmp_path: Path) -> None:
    """a value of several pages may hold the key across a border of two"""
    path = tmp_path / "checkpoints.db"
    checkpoints.create(path)
    for start in range(4040, 4100, 6):
        with closing(sqlite3.connect(path)) as database:
            database.execute("DROP TABLE IF EXISTS notes")
            database.execute("CREATE TABLE notes (value BLOB)")
            value = b"x" * start + KEY.encode() + b"x" * 5000
            database.execute("INSERT INTO notes VALUES (?)", [value])
            database.commit()
        places = checkpoints.inspect(path, Secrets({0: KEY}))["keys"]
        assert "table notes" in [place["where"] for place in places]


def test_a_deleted_key_is_found_in_the_files(tmp_path: Path) -> None:
    """a row that is gone is in the write-ahead log for a while"""
    path = tmp_path / "checkpoints.db"
    checkpoints.create(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE notes (value TEXT)")
        database.execute("INSERT INTO notes VALUES (?)", [KEY])
        database.commit()
        database.execute("DELETE FROM notes")
        database.commit()
        places = checkpoints.inspect(path, Secrets({0: KEY}))["keys"]
    assert "checkpoints.db-wal" in [place["where"] for place in places]


def test_an_endless_view_is_given_up(tmp_path: Path) -> None:
    """a view without end in the place of a table does not hold up the grader"""
    path = tmp_path / "checkpoints.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "CREATE VIEW checkpoints AS WITH RECURSIVE n(i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS thread_id, "
            "'' AS checkpoint_ns, i AS checkpoint_id, '' AS type, '' AS checkpoint, "
            "'' AS metadata, i AS rowid FROM n"
        )
    assert checkpoints.inspect(path, Secrets({}))["threads"] == []
