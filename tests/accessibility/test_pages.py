"""Every picture, card and page of HTML that the grader makes can be read aloud."""

from __future__ import annotations

import importlib

import pytest

from grader.displays import Notice
from grader.notebook import PICTURES
from grader.reports import page, to_html
from grader.visuals import style
from grader.visuals.bars import Bars, Part
from grader.visuals.progress import Progress, progress_map
from grader.visuals.timeline import draw
from grader.visuals.widgets import PredictionCard
from grader.vocabulary import Run
from tests.accessibility.audit import problems
from tests.reports.example_verdicts import EVERY
from tests.visuals.example_runs import FOUR, HAND_OVER, KILLED

RUNS = {"hand over": HAND_OVER, "killed": KILLED, "four": FOUR}
CARD = PredictionCard(
    "What does it say?", {"a": "its name", "b": "nothing"}, None, print
)
ROWS = [
    Progress("one", "../a", score=10.0, name="ex00"),
    Progress("two", "../b", predicted=True, name="ex01", problem="expected A, found B"),
]
BARS = Bars("claim", "Two of three.", (Part("passed", "✓", style.PASSED),), ())
FRAGMENTS = {
    "card": CARD.html,
    "map": progress_map(ROWS, absent=1).html,
    "empty map": progress_map([]).html,
    "bars": BARS.html,
    "notice": Notice("no `submission`", "run the cell")._repr_html_(),
    **{f"report {name}": to_html(made) for name, made in EVERY.items()},
}


@pytest.mark.parametrize("name", FRAGMENTS)
def test_what_a_cell_shows(name: str) -> None:
    """what a cell shows has names for all that is seen or pressed, and enough contrast

    A notebook's headings go down to the second level above it.
    """
    assert problems(FRAGMENTS[name], level=2) == []


@pytest.mark.parametrize("name", EVERY)
def test_a_report_as_a_page(name: str) -> None:
    """a report's page has a language, a title, one main part and one first heading"""
    assert problems(page(EVERY[name])) == []


@pytest.mark.parametrize("picture", ["timeline", *PICTURES])
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_picture_of_a_run(picture: str, run: Run) -> None:
    """each picture has alternative text, and its table has header cells"""
    if picture == "timeline":
        html = draw(run).html
    else:
        module = importlib.import_module(f"grader.visuals.{picture}")
        html = getattr(module, picture)(run).html
    assert problems(html, level=2) == []


BAD = {
    "no lang": ("<html><title>t</title><main><h1>a</h1></main></html>", "lang"),
    "no title": ('<html lang="en"><main><h1>a</h1></main></html>', "title"),
    "a level skipped": ("<h1>a</h1><h3>b</h3>", "h3 below h1"),
    "an empty heading": ("<h1></h1>", "empty h1"),
    "no alt": ('<img src="x">', "without alt"),
    "empty alt": ('<img src="x" alt=" ">', "without alt"),
    "no label": ("<svg></svg>", "without role"),
    "no head": ("<table><tr><td>1</td></tr></table>", "without header"),
    "a column without": (
        "<table><thead><tr><th>a</th></tr></thead><tr><td>1</td><td>2</td></tr></table>",
        "1 header cells over 2",
    ),
    "no name": ("<button></button>", "without a name"),
    "no label of an input": ('<input id="x">', "without a name"),
    "no order": ('<p tabindex="3" aria-label="x">', "order of its own"),
    "no summary": ("<details>x</details>", "without a summary"),
    "two ids": ('<p id="x"></p><p id="x"></p>', "2 elements"),
    "faint": ('<p style="color:#999999">x</p>', "#999999 on #FFFFFF"),
    "faint in a sheet": ("<style>p { color: #AAA; }</style>", "#AAA on #FFFFFF"),
}


@pytest.mark.parametrize(("html", "expected"), BAD.values(), ids=BAD)
def test_the_audit_finds(html: str, expected: str) -> None:
    """what is missing is found, so that finding nothing means something"""
    assert any(expected in problem for problem in problems(html))
