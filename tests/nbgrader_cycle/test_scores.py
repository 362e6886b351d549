"""What nobody can judge is never a score by accident."""

import json
from pathlib import Path

import pytest

from tests.nbgrader_cycle.nbgrader_course import Course, make_course

# A teacher's notebook that is no exercise: its cells give whatever they like.
SETUP = """
def grade(check, hidden=False):
    return {"generous": 2.0, "too_much": 99.0, "word": "2.0 or so"}[check]
"""
NAMES = ("generous", "too_much", "word")
SUBMISSION = """
# %% role="submission"
# %%submission
### BEGIN STARTER
# answer = 1
### END STARTER
### BEGIN SOLUTION
answer = 2
### END SOLUTION
"""
SOURCE = "".join(
    [
        '# %% [markdown] id="title"\n# # Sample\n\n# %% id="setup" role="locked"',
        f"{SETUP}{SUBMISSION}",
        *(f'\n# %% role="test" check="{name}" points=2\n' for name in NAMES),
        '\n# %% [markdown] role="reflect" points=1\n# A model answer.\n',
    ]
)

pytestmark = [pytest.mark.xdist_group("scores"), pytest.mark.slow]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = make_course(tmp_path_factory.mktemp("scores"), "ex90_sample", SOURCE)
    course.nbgrader(
        "generate_assignment",
        course.stem,
        f"--course-dir={course.root}",
        cwd=course.home("teacher"),
    )
    for student in ("ada", "deletes", "late"):
        course.hands_in(student)
    _delete_cell(course.submitted("deletes") / course.release.name, "generous")
    late = course.submitted("late") / "timestamp.txt"
    late.write_text("2026-11-21 12:00:00 UTC")
    course.nbgrader("autograde", course.stem)
    course.nbgrader("generate_feedback", course.stem)
    return course


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_check_is_for_a_person(course: Course, name: str) -> None:
    """a cell that no check stands behind gets no points from what the kernel says"""
    assert course.scores("ada")[name] == (None, True)


def test_the_reason_is_in_the_feedback(course: Course) -> None:
    """the learner reads why a cell was not judged"""
    folder = course.root / "feedback" / "ada" / course.stem
    text = (folder / f"{course.stem}.html").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"could not be judged: this course has no check {name}" in text


def test_an_answer_not_given_is_zero(course: Course) -> None:
    """an untouched question needs no person"""
    assert course.scores("ada")["reflect"] == (0.0, False)


def test_a_deleted_test_cell_comes_back(course: Course) -> None:
    """deleting a graded cell does not save a learner from it"""
    assert course.scores("deletes") == course.scores("ada")


def test_when_it_was_handed_in_is_kept(course: Course) -> None:
    """the one file beside a notebook that nbgrader needs later reaches the feedback"""
    kept = course.root / "feedback" / "late" / course.stem / "timestamp.txt"
    assert kept.read_text() == "2026-11-21 12:00:00 UTC"


def test_nbgrader_works_from_another_folder(course: Course) -> None:
    """with --course-dir, commands read this configuration and write to the course"""
    assert course.release.exists()
    assert list(course.home("teacher").iterdir()) == []


def test_no_sandbox(course: Course, tmp_path: Path) -> None:
    """without a sandbox nothing is graded and nothing lost; who accepts that may"""
    course.hands_in("later")
    without = {"PATH": str(tmp_path)}
    said = course.nbgrader("autograde", course.stem, code=1, environment=without)
    assert "are graded in a sandbox only: expected the command bwrap" in said
    assert "GRADER_ACCEPT_TIER=3" in said
    assert not (course.root / "autograded" / "later").exists()
    without |= {"GRADER_ACCEPT_TIER": "3"}
    course.nbgrader("autograde", course.stem, environment=without)
    assert course.scores("later") == course.scores("ada")


def _delete_cell(path: Path, cell_id: str) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != cell_id]
    path.write_text(json.dumps(notebook), encoding="utf-8")
