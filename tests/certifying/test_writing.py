"""`certificate()` writes what was proved beside the notebooks, and nothing over it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from grader import catalog, course, notebook, session
from grader.certifying import document
from grader.certifying.proof import COURSE, versions
from grader.client import Client
from grader.session import JUDGED_OUTSIDE, Session
from grader.store import Store
from tests.certifying.conftest import MEMORY, ROOT, TOUR, command, full, right

STARTER = (ROOT / "notebooks" / TOUR / "starter.py").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the tour's notebook, where a cell runs."""
    here = tmp_path / TOUR
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session with a service of its own, as a notebook has it."""
    made = Client()
    monkeypatch.setattr(session, "client", made)
    found = Session(TOUR, catalog.load(TOUR), Store(TOUR, folder))
    monkeypatch.setattr(session, "_current", [found])
    yield found
    made.close()


def written(folder: Path) -> document.Certificate:
    return document.read(folder.parent / course.PAGE)[0]


def test_from_check_to_certificate(opened: Session, folder: Path) -> None:
    """the best run of check() is kept with its text, and the certificate of it holds"""
    opened.text = right(TOUR)
    report = notebook.check(seed=7)
    assert report.verdict.passed
    opened.text = STARTER
    assert not notebook.check().verdict.passed
    kept = Store(TOUR, folder).get("proof")
    assert (kept["text"], kept["seed"]) == (right(TOUR), 7)
    assert Store(TOUR, folder).get("score") == 10
    assert kept["tier"] == report.verdict.tier
    assert kept["date"] == date.today().isoformat()
    said = repr(course.certificate(" Ada\n Lovelace "))
    assert "Ada Lovelace has proved 1 of" in said
    assert written(folder).name == "Ada Lovelace"
    status, out, _ = command(folder.parent / course.PAGE)
    assert status == 0
    assert f"✓ {TOUR}  holds: 10 of 10 points, seed 7" in out


def keep(folder: Path, stem: str = TOUR, proof: Any = None) -> None:
    Store(stem, folder).remember({"proof": proof or full(stem).to_json()})


def test_an_earlier_one_is_replaced(folder: Path) -> None:
    """a certificate takes the place of an earlier one, and leaves nothing else"""
    keep(folder)
    course.certificate("Ada")
    keep(folder.parent / MEMORY, MEMORY)
    course.certificate("Ada")
    assert [e.exercise for e in written(folder).proved] == [TOUR, MEMORY]
    names = {path.name for path in folder.parent.iterdir()}
    assert names == {TOUR, ".progress", course.PAGE}


def test_no_other_file_is_replaced(folder: Path) -> None:
    """a file of that name that is no certificate stays, and so does a link's target"""
    keep(folder)
    path = folder.parent / course.PAGE
    path.write_text("mine")
    assert "found another file" in repr(course.certificate("Ada"))
    assert path.read_text() == "mine"
    target = folder / "target.html"
    target.write_text(document.START)
    path.unlink()
    path.symlink_to(target)
    assert "found another file" in repr(course.certificate("Ada"))
    assert target.read_text() == document.START


def test_nothing_to_certify(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """without a name, a proof, or while graded, it says why, and writes nothing"""
    assert "expected a name" in repr(course.certificate(""))
    assert "expected a name" in repr(course.certificate("x" * 101))
    assert "nothing to certify yet" in repr(course.certificate("Ada"))
    keep(folder)
    monkeypatch.setenv(JUDGED_OUTSIDE, "1")
    assert "while a notebook is graded" in repr(course.certificate("Ada"))
    assert not (folder.parent / course.PAGE).exists()


def test_a_broken_proof_is_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """what is no proof, or one of other claims, is named; the others are certified"""
    keep(folder)
    keep(folder.parent / MEMORY, MEMORY, {"seed": "four"})
    other = "ex05_non_dict_returns"
    less = full(other).to_json()
    less["claims"].pop()
    keep(folder.parent / other, other, less)
    Store("ex06_unbounded_cycles", folder.parent).remember({"score": 10})
    course.certificate("Ada")
    assert [e.exercise for e in written(folder).proved] == [TOUR]
    said = capsys.readouterr().out
    assert f"expected a proof of {MEMORY} among your progress, found at $" in said
    assert f"expected a proof of {other} among your progress, found claims" in said
    assert "a proof beside the score of ex06_unbounded_cycles, found none" in said


def test_versions() -> None:
    """a proof says with which course, Python and LangGraph it was made"""
    assert set(versions()) == {"course", "python", "langgraph"}
    assert json.dumps(versions())
    assert COURSE in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
