"""A class goes into a gradebook with one command, whatever becomes of the gradebook."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.batch.classroom import Nursery, hand_in
from tests.batch.gradebooks import FULL, all_scores

AUTHORS = ("ada", "bob", "cem", "dan")
WRITE_VERSION = 18  # where the head of a file of SQLite's says who may write to it


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Where the command has imported what a gradebook needs, too."""
    made = Nursery(tmp_path_factory.mktemp("nursery"), "nbgrader.api")
    yield made
    made.close()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What a class has handed in."""
    for author in AUTHORS:
        hand_in(tmp_path / "submitted", author, f"x = '{author}'")
    return tmp_path / "submitted"


def files(out: Path) -> dict[Path, bytes]:
    """Return all that was written for the class."""
    return {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def test_a_class(nursery: Nursery, tree: Path, tmp_path: Path, url: str) -> None:
    """one command writes all scores, tables and pages; again, it changes nothing"""
    out = tmp_path / "class"
    ended = nursery.grade(tree, "-o", out, "--gradebook", url)
    assert ended["status"] == 0, ended["said"]
    assert all_scores(url) == dict.fromkeys(AUTHORS, FULL)
    found = files(out)
    assert {"grades.csv", "index.html"} <= {path.name for path in found}
    assert len([path for path in found if path.parts[0] == "feedback"]) == len(AUTHORS)
    assert nursery.grade(tree, "-o", out, "--gradebook", url)["status"] == 0
    assert all_scores(url) == dict.fromkeys(AUTHORS, FULL)
    assert files(out) == found


def test_killed_while_scores_are_written(
    nursery: Nursery, tree: Path, tmp_path: Path, url: str, blank: Path
) -> None:
    """killed there, it has done all else; the same command completes the gradebook"""
    out, whole = tmp_path / "class", shutil.copy(blank, tmp_path / "whole.db")
    assert nursery.grade(tree, "-o", out)["status"] == 0
    before = nursery.grade(tree, "-o", out)["acts"]
    gradebook = ("--gradebook", f"sqlite:///{whole}")
    acts = nursery.grade(tree, "-o", out, *gradebook)["acts"]
    found, judged = files(out), nursery.judged()
    of_each = (acts - before) // len(AUTHORS)
    for count in range(1, len(AUTHORS)):
        # One more is written, and of the next one the first half.
        kill_at = before + of_each + of_each // 2
        ended = nursery.grade(tree, "-o", out, "--gradebook", url, kill_at=kill_at)
        assert ended["status"] == -signal.SIGKILL
        held = {author for author, given in all_scores(url).items() if given == FULL}
        assert held == {*AUTHORS[:count]}
        assert files(out) == found
    assert nursery.grade(tree, "-o", out, "--gradebook", url)["status"] == 0
    assert all_scores(url) == all_scores(f"sqlite:///{whole}")
    assert nursery.judged() == judged


def read_only(path: Path) -> None:
    """Let no version of SQLite write to a file; root may, whatever its mode is."""
    with path.open("r+b") as file:
        file.seek(WRITE_VERSION)
        file.write(bytes([255]))


def another_schema(path: Path) -> None:
    """Give a column another name, as another version of nbgrader might."""
    with closing(sqlite3.connect(path)) as book:
        book.execute("ALTER TABLE grade RENAME COLUMN auto_score TO score")


@pytest.mark.parametrize(
    ("breaks", "found"),
    [(read_only, "readonly database"), (another_schema, "no column named auto_score")],
)
def test_a_gradebook_that_fails(
    nursery: Nursery,
    tree: Path,
    tmp_path: Path,
    blank: Path,
    breaks: Callable[[Path], None],
    found: str,
) -> None:
    """it is said by what, all else is written, and once repaired it gets every score"""
    out, path = tmp_path / "class", shutil.copy(blank, tmp_path / "fails.db")
    breaks(path)
    gradebook = ("--gradebook", f"sqlite:///{path}")
    ended = nursery.grade(tree, "-o", out, *gradebook)
    assert ended["status"] == 2
    assert "expected to write ada's scores into the gradebook, found" in ended["said"]
    assert found in ended["said"]
    assert "the same command writes them again" in ended["said"]
    written, judged = files(out), nursery.judged()
    shutil.copy(blank, path)
    assert nursery.grade(tree, "-o", out, *gradebook)["status"] == 0
    assert all_scores(f"sqlite:///{path}") == dict.fromkeys(AUTHORS, FULL)
    assert files(out) == written, "tables and pages were complete before"
    assert nursery.judged() == judged
