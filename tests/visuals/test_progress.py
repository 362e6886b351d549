"""The map of a learner's progress, as a picture, a table and plain text."""

from __future__ import annotations

import pytest

from grader.visuals import style
from grader.visuals.progress import COLORS, Progress, ProgressMap, progress_map

ROWS = [
    Progress("one", "a.ipynb", score=10.0, name="ex00"),
    Progress("two", "b.ipynb", name="ex01"),
    Progress("three", "c.ipynb", predicted=True, name="ex02"),
    Progress("four", "d.ipynb", predicted=True, observed=True, name="ex03"),
    Progress("five", "e.ipynb", observed=True, score=3.0, name="ex04"),
    Progress("six", score=0.5, points=1, name="ex05"),
    Progress("seven", score=10.0, name="ex06", problem="expected A, found B"),
]


def test_text() -> None:
    """as text, the map has a sign and words for each exercise, and says what is next"""
    assert repr(progress_map(ROWS, absent=2)) == (
        "You have proved 1 of 7 exercises. Next: ex01, two.\n"
        "  ✓ ex00 one    10 of 10 points\n"
        "  ○ ex01 two    not started\n"
        "  ◐ ex02 three  predicted\n"
        "  ◐ ex03 four   observed\n"
        "  ◐ ex04 five   3 of 10 points\n"
        "  ◐ ex05 six    0.5 of 1 point\n"
        "  ! ex06 seven  not known\n"
        "expected A, found B\n"
        "help: the file is kept as it is; repair it, or go on, and it is kept under "
        "another name\n"
        "2 more exercises have no notebook here."
    )


def test_html_says_the_same() -> None:
    """the table has a row for each exercise, linked, with sign and words"""
    html = progress_map(ROWS)._repr_mimebundle_()["text/html"]
    assert '<a href="a.ipynb">one</a>' in html
    assert html.count('scope="row"') == len(ROWS)
    assert html.count('scope="col"') == 3
    for row in ROWS:
        assert f"{row.sign} {row.state}" in html
    assert "not started, next" in html
    assert html.count(", next") == 1


def test_picture_has_alt_text() -> None:
    """the picture's alternative text names each stop and its state"""
    made = progress_map(ROWS)
    assert all(f"{row.name} {row.state}" in made.alt for row in ROWS)
    assert f'alt="{made.alt}"' in made.html
    assert f"<title>{made.alt}</title>" in made.svg
    assert made.svg.count("◀ next") == 1


def test_all_proved() -> None:
    """where all is proved, the certificate is next"""
    done = [Progress("one", score=10.0), Progress("two", score=1.0, points=1.0)]
    assert progress_map(done).caption.endswith("Next: write your certificate.")
    assert "next" not in progress_map(done).svg


def test_nothing_here() -> None:
    """without any notebook a sentence stands in place of an empty picture"""
    for form in (repr(ProgressMap(())), ProgressMap((), absent=3).html):
        assert "No notebook of the course is here" in form
        assert "<img" not in form


@pytest.mark.parametrize("count", [1, 6, 7, 12, 13])
def test_any_number_of_stops(count: int) -> None:
    """every exercise has its place in the picture, however many there are"""
    made = progress_map([Progress(f"t{n}", name=f"ex{n:02d}") for n in range(count)])
    assert all(f">ex{n:02d}" in made.svg for n in range(count))


def test_escaped() -> None:
    """markup in a title, a link or a problem stays text"""
    bad = '"><script>'
    html = progress_map([Progress("<b>", bad, name=bad, problem=bad)]).html
    assert "<b>" not in html
    assert "<script>" not in html


def test_contrast() -> None:
    """words have a contrast of 4.5 on white, and signs of 3"""
    assert style.contrast(style.INK) >= 4.5
    assert all(style.contrast(c) >= 3 for c in (*COLORS.values(), style.FAILED))
