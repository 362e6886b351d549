"""A nursery and a cluster for tests that grade with the small judge, and a class."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.batch.graded import line_of
from grader.batch.journal import Journal
from grader.batch.places import Places, write
from grader.batch.reporting import report
from tests.batch.classroom import Nursery, small_judge
from tests.batch.clusters import Cluster
from tests.batch.graded_class import CLASS, SVG


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    """Where the command is started with a judge that needs no harness."""
    folder = tmp_path / "nursery"
    folder.mkdir()
    made = Nursery(folder)
    yield made
    made.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of a test's own, with the small judge."""
    made = Cluster(tmp_path, small_judge(tmp_path), {})
    yield made
    made.close()


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gradebook in SQLite with no student, to be copied: making one takes a while."""
    from tests.batch.gradebooks import make_book  # late, because it needs nbgrader

    path = tmp_path_factory.mktemp("blank") / "gradebook.db"
    make_book(f"sqlite:///{path}")
    return path


@pytest.fixture
def url(blank: Path, tmp_path: Path) -> str:
    """A gradebook of a test's own, in SQLite."""
    return f"sqlite:///{shutil.copy(blank, tmp_path)}"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of everything that can happen, reported."""
    places = Places(tmp_path_factory.mktemp("out"))
    found = sorted((each.one for each in CLASS), key=lambda one: (one.author, one.stem))
    with Journal(places.journal) as journal:
        for each in CLASS:
            journal.append(line_of(each))
            if each.verdict is not None and each.verdict.results[0].scenario:
                folder = places.timelines(each.one.stem, each.one.sha256)
                write(folder / f"{each.verdict.results[0].scenario}.svg", SVG)
        assert report(found, journal, places) == 2
    return places.out
