"""A file or an option that cannot be judged is refused with the reason: status 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import BAD_INPUT, RIGHT, STEM, grader, notebook


def refused(path: Path, *options: str) -> str:
    """Return why a file is not judged: on standard error, with status 2."""
    status, out, err = grader("check", path, *options)
    assert (status, out) == (BAD_INPUT, "")
    return err


CELL = "%%submission\nx = 1\n"


@pytest.mark.parametrize(
    ("cells", "says", "help"),
    [
        (["x = 1"], "expected one cell that begins with %%submission, found 0", "back"),
        ([CELL, CELL + "#"], "begins with %%submission, found 2", "delete all of them"),
        ([CELL], "expected to know the exercise, found none in", "--exercise STEM"),
        ([], "expected one cell that begins with %%submission, found 0", "back"),
    ],
)
def test_cells(tmp_path: Path, cells: list[str], says: str, help: str) -> None:
    """a notebook without one submission of one exercise is refused, with a way out"""
    err = refused(notebook(tmp_path, *cells))
    assert says in err
    assert f"help: {help}" in err or help in err.partition("help: ")[2]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "expected a notebook (JSON with cells), found JSONDecodeError"),
        (b"[]", "expected a notebook (JSON with cells), found TypeError"),
        (b'{"cells": 7}', "expected a notebook (JSON with cells), found TypeError"),
        (b'{"cells": [{}]}', "expected one cell that begins with %%submission"),
        (b"[" * 100_000, "expected a notebook (JSON with cells), found RecursionError"),
        (b"\xff\xfe", "expected text in UTF-8, found a byte that is not at 0"),
        (b"", "expected a notebook (JSON with cells), found JSONDecodeError"),
    ],
    ids=["torn", "list", "number", "no cell", "deep", "not UTF-8", "empty"],
)
def test_no_notebook(tmp_path: Path, data: bytes, says: str) -> None:
    """a file that is no notebook is refused with what it was found to be"""
    path = tmp_path / "mine.ipynb"
    path.write_bytes(data)
    assert says in refused(path)


def test_no_file(tmp_path: Path) -> None:
    """a file that is not there, or a folder, is refused with its path"""
    gone = tmp_path / "gone.py"
    assert f"No such file or directory: {gone}" in refused(gone)
    assert "Is a directory" in refused(tmp_path)


def test_no_module(tmp_path: Path) -> None:
    """a module that is not UTF-8 is refused; one without a known stem asks for it"""
    path = tmp_path / "app.py"
    path.write_bytes(b"# caf\xe9\n")
    assert "expected text in UTF-8" in refused(path, "--exercise", STEM)
    path.write_text("x = 1\n")
    assert "--exercise STEM, one of ex00_start_here, " in refused(path)


def test_near_exercise() -> None:
    """an exercise that is not there is refused, and the near one is suggested"""
    err = refused(RIGHT, "--exercise", "ex04_memory_server")
    assert f"found 'ex04_memory_server'; did you mean \"{STEM}\"?" in err


def test_numbers_and_folders(tmp_path: Path) -> None:
    """too many processes, and a folder that is not there, are refused before the run"""
    assert "expected 0 to 16 processes, found 99" in refused(RIGHT, "--processes", "99")
    nowhere = str(tmp_path / "nowhere" / "report.html")
    assert "expected a folder to write report.html to" in refused(
        RIGHT, "--html", nowhere
    )
