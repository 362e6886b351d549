"""Files that hold no submission are refused by name, and the others are read."""

from __future__ import annotations

import json
import os
import random
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader import catalog
from grader.submissions import FILE_LIMIT_B, BadInput
from tests.batch.arrivals import BOOK, MIB, found, unpacked, zipped
from tests.batch.classroom import STEM, by_author, notebook

NOBODY = 65_534


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


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up the right of root to read what is closed to everybody."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may enter, which none of pytest's is."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_closed_folders(public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """who handed in a folder that cannot be read is a row with the reason"""
    tree = unpacked(
        public / "submitted",
        {
            f"ada.l/{STEM}/{STEM}.ipynb": BOOK,
            f"bob/{STEM}/{STEM}.ipynb": BOOK,
            f"cleo/{STEM}/{STEM}.ipynb": BOOK,
            f"dan/{STEM}/{STEM}.ipynb": BOOK,
        },
    )
    found(tree)  # what is imported late is imported by who may
    stems = catalog.stems()  # nor may nobody look into a clone in root's home
    monkeypatch.setattr(catalog, "stems", lambda: stems)
    closed = {"ada.l": 0, f"bob/{STEM}": 0, "cleo": 0o444, f"dan/{STEM}": 0o444}
    for name, mode in closed.items():
        (tree / name).chmod(mode)
    with as_nobody():
        taken = by_author(found(tree))
        each = by_author(found(*(tree / name for name in ("ada.l", "bob"))))
    for name in closed:
        (tree / name).chmod(0o755)
    assert sorted(taken) == ["ada.l", "bob", "cleo", "dan"]
    assert sorted(each) == ["ada.l", "bob"]
    reasons = [taken["ada.l"], taken["bob"], taken["cleo"], *each.values()]
    for one in reasons:
        assert "expected a folder that can be read, found Permission" in one.problem
        assert "give yourself the right" in one.help
    assert "expected a file that can be read, found Permission" in taken["dan"].problem
    assert taken["bob"].stem == STEM


@pytest.mark.parametrize("form", ["folders", "a folder", "zips", "a folder of zips"])
def test_names_in_no_encoding(tmp_path: Path, form: str) -> None:
    """a name that is no UTF-8 is shown so that every table can be written"""
    folder = tmp_path / "class"
    paths = [folder / os.fsdecode(b"b\xff"), folder / os.fsdecode(b"b\xfe")]
    if "zips" in form:
        folder.mkdir()
        paths = [zipped(Path(f"{path}.zip"), {"work.ipynb": BOOK}) for path in paths]
    else:
        for path in paths:
            unpacked(path, {"work.ipynb": BOOK})
    taken = found(*([folder] if form.startswith("a ") else paths))
    assert [one.author for one in taken] == ["b\\xfe", "b\\xff"]
    assert [one.name for one in taken] == ["b\\xfe", "b\\xff"]


def test_nothing_there(tmp_path: Path) -> None:
    """a path at which there is nothing is refused"""
    with pytest.raises(BadInput, match="found nothing at"):
        found(tmp_path / "nowhere")
