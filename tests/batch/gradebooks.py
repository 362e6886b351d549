"""Gradebooks of a test's own, as nbgrader makes them, and what is in them."""

from __future__ import annotations

from nbgrader.api import Gradebook

from grader import catalog
from grader.batch.gradebook import COURSE
from tests.batch.classroom import STEM

CHECKS = tuple(catalog.load(STEM).checks.values())
FULL = {check.name: (check.points, False) for check in CHECKS}


def make_book(url: str) -> str:
    """Make a gradebook as generate_assignment does, and return its address."""
    with Gradebook(url, COURSE) as book:
        book.add_assignment(STEM)
        book.add_notebook(STEM, STEM)
        for check in CHECKS:
            book.add_grade_cell(
                check.name, STEM, STEM, max_score=check.points, cell_type="code"
            )
        book.add_solution_cell("submission", STEM, STEM)
    return url


def scores(url: str, author: str) -> dict[str, tuple[float | None, bool]]:
    """Return each cell's automatic score, and whether a person must look."""
    with Gradebook(url, COURSE) as book:
        notebook = book.find_submission_notebook(STEM, STEM, author)
        return {g.name: (g.auto_score, g.needs_manual_grade) for g in notebook.grades}


def all_scores(url: str) -> dict[str, dict[str, tuple[float | None, bool]]]:
    """Return the same of every author who has handed in."""
    with Gradebook(url, COURSE) as book:
        held = [one.student.id for one in book.notebook_submissions(STEM, STEM)]
    return {author: scores(url, author) for author in held}
