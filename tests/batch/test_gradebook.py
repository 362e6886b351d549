"""Scores go into an nbgrader gradebook, whoever else writes to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from grader.__main__ import main
from grader.batch import pool, worker
from grader.batch.gradebook import COURSE, Scores
from grader.batch.graded import Graded
from grader.batch.grading import SOME_WAIT
from grader.batch.submitted import Submitted
from grader.submissions import BadInput
from grader.vocabulary import Status
from tests.batch.classroom import (
    OTHER,
    ROOT,
    STEM,
    hand_in,
    lines,
    small_judge,
    verdict,
)
from tests.batch.gradebooks import CHECKS, FULL, make_book, scores
from tests.harness.postgres import Server

GRADERS = 3


def graded(author: str, status: Status = Status.passed) -> Graded:
    """Return a submission of which every check ended so."""
    return Graded(Submitted(author, STEM, "source", "0" * 64), verdict(status))


def add(url: str, *every: Graded) -> Scores:
    """Write scores, and return what became of them."""
    with Scores(url) as book:
        for each in every:
            book.add(each)
    return book


def test_scores(url: str) -> None:
    """each check's points are in its cell, for a student who was not there before"""
    add(url, graded("ada"), graded("bob", Status.failed))
    assert scores(url, "ada") == FULL
    assert scores(url, "bob") == {c.name: (0.0, False) for c in CHECKS}


def test_an_error_is_no_zero(url: str) -> None:
    """what was not judged has no score and waits for a person, until it is judged"""
    add(url, graded("ada", Status.error))
    assert scores(url, "ada") == {c.name: (None, True) for c in CHECKS}
    add(url, graded("ada"))
    assert scores(url, "ada") == FULL


def test_again(url: str) -> None:
    """writing again changes nothing, and a person's score stands"""
    add(url, graded("ada"))
    with Gradebook(url, COURSE) as book:
        grade = book.find_grade(CHECKS[0].name, STEM, STEM, "ada")
        grade.manual_score = 1.5
        book.db.commit()
    add(url, graded("ada"))
    add(url, graded("ada", Status.error))
    with Gradebook(url, COURSE) as book:
        grade = book.find_grade(CHECKS[0].name, STEM, STEM, "ada")
        assert (grade.manual_score, grade.score) == (1.5, 1.5)
        assert not grade.needs_manual_grade
        assert len(book.students) == 1


def test_what_is_not_there(url: str) -> None:
    """an exercise that the gradebook does not have is left out, and counted"""
    other = graded("ada")
    other = replace(other, verdict=verdict(stem=OTHER))
    unread = Graded(Submitted("bob", "", "s", "0" * 64, problem="no"), None)
    book = add(url, other, unread)
    assert (book.written, dict(book.missing)) == (0, {OTHER: 1})


def test_no_gradebook(tmp_path: Path) -> None:
    """a gradebook that is not there is not made"""
    path = tmp_path / "no.db"
    with pytest.raises(BadInput, match="expected a gradebook, found no file"):
        add(f"sqlite:///{path}")
    assert not path.exists()


WRITER = """
import sys
from tests.batch.test_gradebook import add, graded
print("ready", flush=True)
input()
add(sys.argv[1], *(graded(f"author{n}") for n in range(6)))
"""


def several(url: str) -> None:
    """Let several graders write the same six authors at once, and look at the sum."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(GRADERS)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    said = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * GRADERS, said
    for number in range(6):
        assert scores(url, f"author{number}") == FULL
    with Gradebook(url, COURSE) as book:
        assert len(book.students) == 6
        assert len(book.assignment_submissions(STEM)) == 6


@pytest.mark.slow
def test_several_graders(url: str) -> None:
    """graders at once write every score once, and none of them fails"""
    several(url)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of the tests' own."""
    server = Server()
    url = server.create().url
    yield make_book(url.replace("postgresql://", "postgresql+psycopg://"))
    server.close()


@pytest.mark.slow
def test_several_graders_in_postgres(postgres: str) -> None:
    """the same holds where the gradebook is in PostgreSQL"""
    several(postgres)


def test_one_author_whom_the_database_refuses(postgres: str) -> None:
    """a name that is too long for it costs nobody else a score, and is said"""
    long = "x" * 200
    book = add(postgres, graded("ada"), graded(long), graded("zoe"))
    assert book.written == 2
    assert list(book.refused) == [long]
    assert "too long" in book.refused[long]
    assert scores(postgres, "zoe") == FULL


def test_a_class_with_such_an_author(
    postgres: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """the command writes everybody else's scores, names that author, and gives 3"""
    monkeypatch.setattr(worker, "COMMAND", small_judge(tmp_path))
    monkeypatch.setattr(pool, "handed_on", lambda _: None)  # it needs no libraries
    tree, out, long = tmp_path / "submitted", tmp_path / "out", "y" * 200
    for author in ("eve", long, "zed"):  # in this order
        hand_in(tree, author, author)
    arguments = ("grade", tree, "-o", out, "--accept-tier", "3")
    assert main([*map(str, arguments), "--gradebook", postgres]) == SOME_WAIT
    printed, complained = capsys.readouterr()
    assert f"{long}'s scores are not in the gradebook: " in printed
    assert "Traceback" not in complained
    for author in ("eve", "zed"):
        assert scores(postgres, author) == FULL
    assert [line["status"] for line in lines(out)] == ["judged"] * 3
    assert f"\n{long},{STEM},judged,10,10," in (out / "grades.csv").read_text()
    assert (out / "index.html").is_file()
