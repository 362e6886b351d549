"""What nbgrader is told to do beyond its own steps; nbgrader_config.py names these."""

from __future__ import annotations

import html
import math
from typing import Any

from nbformat import from_dict
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from grader.cells import to_starter

VERDICT = "application/vnd.grader.verdict+json"
UNKNOWN = "unjudged"  # where ReadScores leaves word for MarkUnknown
Pair = tuple[Any, dict[str, Any]]


class PlaceStarter(NbGraderPreprocessor):
    """Puts the starter where ClearSolutions has put its stub."""

    def preprocess_cell(self, cell: Any, resources: dict[str, Any], _: int) -> Pair:
        """Uncomment the STARTER regions of a solution cell that has any."""
        if utils.is_solution(cell) and "### BEGIN STARTER" in cell.source:
            cell.source = to_starter(cell.source)
        return cell, resources


class ReadScores(NbGraderPreprocessor):
    """Lets only a graded cell's number count, and finds the cells that have none.

    Stands between Execute and SaveAutoGrades, which gives 0 for any text on stderr
    (a warning, or a line from a child), full marks where there is no number, and
    ends the whole submission where the number is too large.
    """

    def preprocess_cell(self, cell: Any, resources: dict[str, Any], _: int) -> Pair:
        """Quieten the outputs of a graded code cell."""
        if cell.cell_type != "code" or not utils.is_grade(cell):
            return cell, resources
        if utils.is_solution(cell):
            return cell, resources
        for output in cell.outputs:
            if output.output_type == "stream":
                output.name = "stdout"  # still to be read, and no longer counted
        reason = why_unknown(cell.outputs, float(cell.metadata.nbgrader.points))
        if reason:
            note = f"This check could not be judged: {reason}. A person will grade it."
            data = {
                "text/plain": note,
                "text/html": f"<p><strong>{html.escape(note)}</strong></p>",
            }
            kept = [o for o in cell.outputs if o.output_type != "execute_result"]
            shown = {"output_type": "display_data", "data": data, "metadata": {}}
            cell.outputs = [from_dict(shown), *kept]  # type: ignore[no-untyped-call]
            unknown = resources["nbgrader"].setdefault(UNKNOWN, [])
            unknown.append(cell.metadata.nbgrader.grade_id)
        return cell, resources


class MarkUnknown(NbGraderPreprocessor):
    """Hands the checks that nobody could judge to a person; after SaveAutoGrades."""

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> Pair:
        """Replace the automatic scores of unknown checks by a request to grade."""
        about = resources["nbgrader"]
        unknown = about.get(UNKNOWN, [])
        if not unknown:
            return nb, resources
        with Gradebook(about["db_url"]) as gradebook:
            for name in unknown:
                grade = gradebook.find_grade(
                    name, about["notebook"], about["assignment"], about["student"]
                )
                grade.auto_score = None
                grade.needs_manual_grade = True
                self.log.warning("%s: %s needs a person", about["student"], name)
            gradebook.db.commit()
        return nb, resources


def why_unknown(outputs: list[Any], points: float) -> str:
    """Return why a graded cell's outputs are no score, or nothing if they are one.

    The cell is ours and locked, so an exception in it says nothing about the
    learner's answer: the grader, the machine or the notebook around it broke.
    """
    for output in outputs:
        verdict = output.get("data", {}).get(VERDICT, {})
        if verdict.get("status") == "error":
            return str(verdict.get("reason") or "the grader broke")
        if output.output_type == "error":
            return f"the cell raised {output.ename}: {output.evalue}"
    results = [o for o in outputs if o.output_type == "execute_result"]
    if not results:
        return "the cell has no result"
    text = str(results[-1]["data"].get("text/plain", ""))
    try:
        score = float(text)
    except ValueError:
        return f"expected a number as its result, found {text[:80]}"
    if math.isnan(score) or not 0 <= score <= points:
        return f"expected a score from 0 to {points:g}, found {text}"
    return ""
