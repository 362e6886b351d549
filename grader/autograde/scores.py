"""Steps for nbgrader around the kernel: judge outside of it, show and record that."""

from __future__ import annotations

from typing import Any

from nbformat import from_dict
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from grader import catalog
from grader.autograde import judging
from grader.autograde.exporter import ABOUT
from grader.autograde.judging import Judging
from grader.harness.tiers import ISOLATED
from grader.submissions import MAGIC

JUDGING, SCORES = "judging", "scores"  # what the steps hand on
SUBMISSION = "submission"
Pair = tuple[Any, dict[str, Any]]


def problem_of(nb: Any) -> str:
    """Return why a notebook cannot be judged, as the exporter has noted it."""
    return str(nb.metadata.get(ABOUT, {}).get("problem", ""))


class BeginJudging(NbGraderPreprocessor):
    """Has the submission judged while the kernel runs the notebook."""

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> Pair:
        """Start it, where there is an exercise and something to judge."""
        stem = resources["nbgrader"]["notebook"]
        if stem in catalog.stems() and not problem_of(nb):
            cell = next(cell for cell in nb.cells if cell.get("id") == SUBMISSION)
            text = cell.source.removeprefix(MAGIC)
            resources["nbgrader"][JUDGING] = Judging(stem, text)
        return nb, resources


class ShowVerdict(NbGraderPreprocessor):
    """Puts the verdict where the kernel has said something."""

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> Pair:
        """Replace whatever a graded cell's outputs are."""
        under_way = resources["nbgrader"].pop(JUDGING, None)
        judged = {} if under_way is None else under_way.wait()
        problem = problem_of(nb)
        accepted = nb.metadata.get(ABOUT, {}).get("accepted", ISOLATED)
        scores: dict[str, float | None] = {}
        for cell in nb.cells:
            if not utils.is_grade(cell):
                continue
            about = cell.metadata.nbgrader
            if utils.is_solution(cell) or cell.cell_type != "code":
                if problem:  # nobody knows what was answered
                    scores[about.grade_id] = None
                continue
            name = about.grade_id
            found = judged.get(name)
            reason = judging.why_unknown(found, problem, name, accepted)
            points = None
            if not reason and found is not None:
                points = judging.points_of(found, float(about.points))
            shown = judging.outputs(found, reason, points or 0.0)
            cell.outputs = [from_dict(each) for each in shown]  # type: ignore[no-untyped-call]
            scores[name] = points
        resources["nbgrader"][SCORES] = scores
        return nb, resources


class RecordVerdict(NbGraderPreprocessor):
    """Writes the verdict into the gradebook, after SaveAutoGrades has written its."""

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> Pair:
        """Set each score; hand to a person what nobody could judge."""
        about = resources["nbgrader"]
        place = (about["notebook"], about["assignment"], about["student"])
        with Gradebook(about["db_url"]) as gradebook:
            for name, points in about.pop(SCORES).items():
                grade = gradebook.find_grade(name, *place)
                grade.auto_score = points
                unknown = points is None
                grade.needs_manual_grade = unknown or grade.manual_score is not None
                if unknown:
                    self.log.warning("%s: %s needs a person", about["student"], name)
            problem = problem_of(nb)
            if problem:
                comment = gradebook.find_comment(SUBMISSION, *place)
                comment.auto_comment = f"This could not be judged: {problem}."
            gradebook.db.commit()
        return nb, resources
