"""Run All reaches the bottom: as shipped, with a prediction, and with the solution."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbclient import NotebookClient

from grader import catalog, submissions
from grader.sources import read
from tests.exercises.conftest import Judge, judge
from tests.harness.postgres import short_folder

REPO = Path(__file__).parents[2]
STEMS = sorted(path.stem for path in REPO.glob("notebooks/*/*.ipynb"))
LIMIT_S = 300  # a cell, on a machine that is very crowded
GONE_S = 20.0  # from the kernel's end to the end of all that it started
PREDICTED = {"predictions": {"an earlier question": "a"}}

pytestmark = pytest.mark.slow
__all__ = ["judge"]  # the fixture


@pytest.fixture(params=STEMS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of one notebook's folder, for what a run writes beside it."""
    stem = request.param
    ignored = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
    copy = tmp_path / "notebooks" / stem
    return Path(shutil.copytree(REPO / "notebooks" / stem, copy, ignore=ignored))


@pytest.mark.parametrize("folder", STEMS[:1], indirect=True)
def test_as_shipped(folder: Path) -> None:
    """nothing is raised, and no run is shown before a prediction is committed"""
    locked = value(cell(run_all(folder), "observe("))
    assert "this run is locked until you commit a prediction" in locked["text/plain"]
    assert "<figure" not in locked["text/html"]


def test_with_a_prediction(folder: Path, judge: Judge) -> None:
    """of what is shipped broken claims score 0, and every run is drawn, and told"""
    progress = folder.parent / ".progress"
    progress.mkdir()
    (progress / f"{folder.name}.json").write_text(json.dumps(PREDICTED))
    notebook = run_all(folder)
    text = submissions.read(folder / f"{folder.name}.ipynb").text
    verdict = judge(folder.name, text)
    scores = {result.check: float(result.score) for result in verdict.results}
    assert scores == graded(notebook)
    assert 0.0 in scores.values()
    observing = [each for each in notebook.cells if each.source.startswith("observe(")]
    assert observing
    for each in observing:
        assert "<figure" in value(each)["text/html"]
        assert "#3" in value(each)["text/plain"]


def test_with_the_solution(folder: Path) -> None:
    """every graded cell gives its check's points; a choice in the cell unlocks too"""
    stem = folder.name
    source = read(REPO / "solutions" / stem / f"{stem}.py", stem)
    solved = next(c["source"] for c in source["cells"] if c["id"] == "submission")
    notebook = run_all(folder, {"%%submission": lambda _: solved, "predict(": choose})
    exercise = catalog.load(stem)
    points = {name: float(check.points) for name, check in exercise.checks.items()}
    assert points == graded(notebook)
    report = value(cell(notebook, "check("))
    assert f"{exercise.points:g} / {exercise.points:g}" in report["text/plain"]
    assert "✓" in report["text/html"]
    assert "You predicted a:" in value(cell(notebook, "predict("))["text/plain"]
    assert "<figure" in value(cell(notebook, "observe("))["text/html"]


def choose(source: str) -> str:
    """Return a prediction's cell with the choice in it."""
    return f'{source.rstrip().removesuffix(")")}choice="a")'


def run_all(folder: Path, changes: Any = None) -> Any:
    """Run a notebook from top to bottom; nothing is raised, and no process is left."""
    notebook = nbformat.read(folder / f"{folder.name}.ipynb", as_version=4)
    for start, change in (changes or {}).items():
        changed = cell(notebook, start)
        changed.source = change(changed.source)
    with short_folder() as scratch:
        own = {"TMPDIR": str(scratch), "PYTHONSAFEPATH": "1"}
        resources = {"metadata": {"path": str(folder)}}
        client = NotebookClient(notebook, timeout=LIMIT_S, resources=resources)
        with client.setup_kernel(env={**os.environ, **own}):
            for index, each in enumerate(notebook.cells):
                client.execute_cell(each, index)
            running = list(started_in(scratch))
        assert len(running) >= 3  # the kernel, its service, and what that forks from
        assert not psutil.wait_procs(running, timeout=GONE_S)[1]
        assert not list(started_in(scratch))
        assert not list(scratch.glob("grader-*"))
    return notebook


def started_in(scratch: Path) -> Iterator[psutil.Process]:
    """Yield what runs with this scratch folder, or with a home inside it."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            homes = (environment.get("TMPDIR", ""), environment.get("HOME", ""))
            if any(home.startswith(str(scratch)) for home in homes):
                yield process


def cell(notebook: Any, start: str) -> Any:
    """Return the first cell of code that begins so."""
    code = [each for each in notebook.cells if each.cell_type == "code"]
    return next(each for each in code if each.source.startswith(start))


def value(of: Any) -> Any:
    """Return the forms of a cell's value."""
    found = [each.data for each in of.outputs if each.output_type == "execute_result"]
    assert len(found) == 1, of.outputs
    return found[0]


def graded(notebook: Any) -> dict[str, float]:
    """Return the values of the graded cells, all of them floats and free of stderr."""
    scores = {}
    for each in notebook.cells:
        if each.cell_type == "code" and each.metadata.get("nbgrader", {}).get("grade"):
            assert "stderr" not in [output.get("name") for output in each.outputs]
            shown = value(each)
            assert set(shown) == {"text/plain"}
            assert repr(float(shown["text/plain"])) == shown["text/plain"]
            scores[each.metadata.nbgrader.grade_id] = float(shown["text/plain"])
    return scores
