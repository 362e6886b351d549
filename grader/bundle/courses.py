"""The files by which Gradescope and GitHub start the grader; rendered for exercises."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2

from grader import catalog
from grader.bundle.writing import Bundle, File

WORKFLOW = ".github/workflows/classroom.yml"


def gradescope(stems: Sequence[str]) -> Bundle:
    """Return the two programs that Gradescope expects at the root of an autograder."""
    return {
        name: File(_rendered(f"{name}.jinja", stems), program=True)
        for name in ("setup.sh", "run_autograder")
    }


def classroom(stems: Sequence[str]) -> Bundle:
    """Return the workflow that checks these exercises at each push."""
    return {WORKFLOW: File(_rendered("classroom.yml.jinja", stems))}


def _rendered(name: str, stems: Sequence[str]) -> bytes:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("grader.bundle", "."),
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # these are shell and YAML, and all names are our own
        # GitHub has ${{ }} of its own.
        variable_start_string="<<",
        variable_end_string=">>",
    )
    exercises = [catalog.load(stem) for stem in stems]
    template = environment.get_template(name)
    points = sum(exercise.points for exercise in exercises)
    return template.render(stems=stems, points=points).encode()
