"""Run All reaches the bottom: as shipped, with a prediction, and with the solution."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbclient import NotebookClient

from tests.browser.page import CHROMIUM
from tests.exercises.conftest import Judge, judge
from tests.harness.postgres import short_folder
from tests.notebooks import reached
from tests.notebooks.reached import cell, value

REPO = Path(__file__).parents[2]
STEMS = sorted(path.stem for path in REPO.glob("notebooks/*/*.ipynb"))
# With a browser, tests/browser/test_run_all proves the same of every notebook.
ALONE = STEMS if CHROMIUM is None else ["ex02_shared_globals"]
LIMIT_S = 300  # a cell, on a machine that is very crowded
GONE_S = 20.0  # from the kernel's end to the end of all that it started
PREDICTED = {"predictions": {"an earlier question": "a"}}

pytestmark = pytest.mark.slow
__all__ = ["judge"]  # the fixture


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of one notebook's folder, for what a run writes beside it."""
    stem = request.param
    ignored = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
    copy = tmp_path / "notebooks" / stem
    return Path(shutil.copytree(REPO / "notebooks" / stem, copy, ignore=ignored))


@pytest.mark.parametrize("folder", STEMS[:1], indirect=True)
def test_as_shipped(folder: Path) -> None:
    """nothing is raised, and no run is shown before a prediction is committed"""
    with kernel(folder) as (notebook, run_all):
        run_all()
    locked = value(cell(notebook, "observe("))
    assert "this run is locked until you commit a prediction" in locked["text/plain"]
    assert "<figure" not in locked["text/html"]


@pytest.mark.parametrize("folder", STEMS[1:2], indirect=True)
def test_with_a_choice(folder: Path) -> None:
    """a prediction in the cell, for where there are no widgets, unlocks the run too"""
    with kernel(folder) as (notebook, run_all):
        predicting = cell(notebook, "predict(")
        predicting.source = predicting.source.rstrip().removesuffix(")") + 'choice="a")'
        run_all()
    assert "You predicted a:" in value(cell(notebook, "predict("))["text/plain"]
    assert "<figure" in value(cell(notebook, "observe("))["text/html"]


@pytest.mark.parametrize("folder", ALONE, indirect=True)
def test_to_the_bottom(folder: Path, judge: Judge) -> None:
    """first as shipped with a prediction, then with the solution in the same kernel"""
    progress = folder.parent / ".progress"
    progress.mkdir()
    (progress / f"{folder.name}.json").write_text(json.dumps(PREDICTED))
    with kernel(folder) as (notebook, run_all):
        run_all()
        reached.as_shipped(notebook, folder.name, judge)
        reached.observed(notebook)
        cell(notebook, "%%submission").source = reached.solution(folder.name)
        run_all()
    reached.solved(notebook, folder.name)


@contextlib.contextmanager
def kernel(folder: Path) -> Iterator[tuple[Any, Callable[[], None]]]:
    """Yield a notebook and what runs it to the bottom in one kernel; nothing may be
    raised, and afterwards no process is left."""
    notebook = nbformat.read(folder / f"{folder.name}.ipynb", as_version=4)
    with short_folder() as scratch:
        own = {"TMPDIR": str(scratch), "PYTHONSAFEPATH": "1"}
        resources = {"metadata": {"path": str(folder)}}
        client = NotebookClient(notebook, timeout=LIMIT_S, resources=resources)

        def run_all() -> None:
            for index, each in enumerate(notebook.cells):
                client.execute_cell(each, index)

        with client.setup_kernel(env={**os.environ, **own}):
            yield notebook, run_all
            running = list(started_in(scratch))
        assert len(running) >= 3  # the kernel, its service, and what that forks from
        assert not psutil.wait_procs(running, timeout=GONE_S)[1]
        assert not list(started_in(scratch))
        assert not list(scratch.glob("grader-*"))


def started_in(scratch: Path) -> Iterator[psutil.Process]:
    """Yield what runs with this scratch folder, or with a home inside it."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            homes = (environment.get("TMPDIR", ""), environment.get("HOME", ""))
            if any(home.startswith(str(scratch)) for home in homes):
                yield process
