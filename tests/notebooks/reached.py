"""What a notebook shows when it was run to the bottom, in a browser or without one."""

from __future__ import annotations

import re
from typing import Any

from grader import catalog, submissions
from grader.sources import read
from tests.exercises.conftest import Judge
from tests.notebooks import ladder
from tests.package import ROOT

WIDGET = "application/vnd.jupyter.widget-view+json"


def as_shipped(notebook: Any, stem: str, judge: Judge) -> None:
    """Of what is shipped broken claims score 0, as the command line says too."""
    path = ROOT / "notebooks" / stem / f"{stem}.ipynb"
    verdict = judge(stem, submissions.read(path).text)
    scores = {result.check: float(result.score) for result in verdict.results}
    assert scores == graded(notebook)
    assert 0.0 in scores.values()
    if stem == ladder.STEM:
        ladder.climbed(notebook)


def solved(notebook: Any, stem: str) -> None:
    """With the solution every graded cell gives its check's points."""
    exercise = catalog.load(stem)
    points = {name: float(check.points) for name, check in exercise.checks.items()}
    assert points == graded(notebook)
    report = value(cell(notebook, "check("))
    assert f"{exercise.points:g} / {exercise.points:g}" in report["text/plain"]
    assert "✓" in report["text/html"]


def observed(notebook: Any) -> None:
    """Every run is drawn, and told in a table; so is what is shown of one."""
    observing = [each for each in notebook.cells if each.source.startswith("observe(")]
    assert observing
    for each in observing:
        assert "<figure" in value(each)["text/html"]
        assert "#3" in value(each)["text/plain"]
    for each in notebook.cells:
        if each.cell_type == "code" and re.search(r"^show\(", each.source, re.M):
            shown = value(each)
            assert 'role="note"' not in shown["text/html"], shown["text/plain"]
            assert "<figure" in shown["text/html"] or WIDGET in shown
            assert "<td" in shown["text/html"], "expected rows, found none"


def solution(stem: str) -> str:
    """Return the submission's cell as its source has it."""
    source = read(ROOT / "solutions" / stem / f"{stem}.py", stem)
    (found,) = (c["source"] for c in source["cells"] if c["id"] == "submission")
    return str(found)


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
