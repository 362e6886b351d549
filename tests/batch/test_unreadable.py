"""Files that hold no submission are refused by name, and the others are read."""

from __future__ import annotations

import json
import os
import random
import tracemalloc
from pathlib import Path

import pytest

from grader.submissions import FILE_LIMIT_B, BadInput
from tests.batch.arrivals import BOOK, MIB, found, unpacked, zipped
from tests.batch.classroom import STEM, by_author, notebook


def deep() -> bytes:
    """Return JSON that is nested more deeply than anybody reads."""
    return b'{"cells":' + b"[" * 200_000 + b"]" * 200_000 + b"}"


BAD: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", "found JSONDecodeError"),
    "nested": (deep(), "found RecursionError"),
    "encoding": (BOOK.encode("utf-16"), "expected text in UTF-8"),
    "no cell": (b'{"cells": []}', "found 0"),
    "two cells": (notebook("x = 1", STEM, "%%submission\ny").encode(), "found 2"),
    "unknown exercise": (notebook("x = 1", "ex99_no").encode(), "found 'ex99_no'"),
    "no exercise": (
        json.dumps(
            {"cells": [{"cell_type": "code", "source": "%%submission\nx"}]}
        ).encode(),
        "expected to know the exercise",
    ),
    "cells": (b'{"cells": {"a": 1}}', "found 0"),
    "long": (
        notebook(random.Random(1).randbytes(MIB).hex()).encode(),
        "expected a submission of at most",
    ),
}


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("kind", BAD)
def test_bad_notebooks(tmp_path: Path, kind: str, form: str) -> None:
    """what holds no submission is a row with the reason, and the others are read"""
    content, says = BAD[kind]
    files = {"ada/work.ipynb": content, f"bob/{STEM}.ipynb": BOOK}
    path = unpacked(tmp_path / "c", dict(files))
    if form == "zip":
        path = zipped(tmp_path / "c.zip", dict(files))
    taken = by_author(found(path))
    assert says in taken["ada"].problem
    assert taken["bob"].text == "\nx = 1"


def test_bad_files(tmp_path: Path) -> None:
    """links, pipes and huge files are refused by name, unread, and nothing waits"""
    folder = unpacked(tmp_path / "c", {f"bob/{STEM}.ipynb": BOOK})
    secret = unpacked(tmp_path, {"secret.ipynb": notebook("secret = 1")})
    (folder / "link").mkdir()
    (folder / "link" / "a.ipynb").symlink_to(secret / "secret.ipynb")
    (folder / "away").symlink_to(secret)
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "a.ipynb")
    (folder / "huge").mkdir()
    with (folder / "huge" / "a.ipynb").open("wb") as file:
        file.truncate(200 * MIB)
    tracemalloc.start()
    taken = by_author(found(folder))
    _, peak_b = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "found a symbolic link" in taken["link"].problem
    assert "found a symbolic link" in taken["away"].problem
    assert "found a folder, a pipe or a device" in taken["pipe"].problem
    assert f"at most {FILE_LIMIT_B} bytes" in taken["huge"].problem
    assert taken["bob"].text == "\nx = 1"
    assert peak_b < 20 * MIB


def test_nothing_there(tmp_path: Path) -> None:
    """a path at which there is nothing is refused"""
    with pytest.raises(BadInput, match="found nothing at"):
        found(tmp_path / "nowhere")
