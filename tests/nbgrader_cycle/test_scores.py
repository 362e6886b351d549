"""What a graded cell prints or breaks never changes a score by accident."""

import json
from pathlib import Path

import pytest

from tests.nbgrader_cycle.nbgrader_course import Course, make_course

# A sample with a grader of its own, to break in each way on purpose.
SETUP = """
import os
import subprocess
import sys
import threading
import warnings

from IPython.display import display

VERDICT = "application/vnd.grader.verdict+json"


def passes(): return 2.0
def fails(): return 0.0
def imports_grader():
    import grader
    return float(grader.__dict__.get("FAKE", 0.0))
def gives_a_part(): return 1.25
def warns():
    warnings.warn("deprecated")
    return 2.0
def warns_in_a_thread():
    thread = threading.Thread(target=lambda: sys.stderr.write("from a thread"))
    thread.start()
    thread.join()
    return 1.5
def has_a_loud_child():
    subprocess.run([sys.executable, "-c", "import os; os.write(2, b'from a child')"])
    os.write(2, b"from the kernel")
    return 2.0
def breaks():
    verdict = {"status": "error", "check": "breaks", "reason": "no <port> was free"}
    display({VERDICT: verdict, "text/plain": "report"}, raw=True)
    return 0.0
def raises(): raise RuntimeError("a bug of the grader")
def says_nothing(): return None
def says_a_word(): return "2.0 or so"
def gives_too_much(): return 99.0
def gives_no_number(): return float("nan")
"""
NAMES = [
    line[4:].partition("(")[0] for line in SETUP.splitlines() if "def " in line[:4]
]
MAIN = """
def grade(check, hidden=False):
    return globals()[check]()
"""
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
        f"{SETUP}{MAIN}{SUBMISSION}",
        *(f'\n# %% role="test" check="{name}" points=2\n' for name in NAMES),
        '\n# %% [markdown] role="reflect" points=1\n# A model answer.\n',
    ]
)
CLEAR = {
    "passes": 2.0,
    "fails": 0.0,
    "imports_grader": 0.0,
    "gives_a_part": 1.25,
    "warns": 2.0,
    "warns_in_a_thread": 1.5,
    "has_a_loud_child": 2.0,
}
UNKNOWN = {
    "breaks": "no <port> was free",
    "raises": "the cell raised RuntimeError: a bug of the grader",
    "says_nothing": "the cell has no result",
    "says_a_word": "expected a number as its result, found '2.0 or so'",
    "gives_too_much": "expected a score from 0 to 2, found 99.0",
    "gives_no_number": "expected a score from 0 to 2, found nan",
}


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
    for student in ("ada", "bob", "deletes", "shadows"):
        course.hands_in(student)
    _delete_cell(course.submitted("deletes") / course.release.name, "fails")
    fake = course.submitted("shadows") / "grader"
    fake.mkdir()
    (fake / "__init__.py").write_text("FAKE = 2.0\n")
    course.nbgrader("autograde", course.stem)
    course.nbgrader("generate_feedback", course.stem)
    return course


@pytest.mark.parametrize("name", CLEAR)
def test_a_number_is_the_score(course: Course, name: str) -> None:
    """whatever stands on stderr, the cell's number counts, and nobody need look"""
    assert (CLEAR[name], False) == course.scores("ada")[name]


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_no_score_is_for_a_person(course: Course, name: str) -> None:
    """the grader's own trouble is neither zero nor full marks"""
    assert course.scores("ada")[name] == (None, True)


def test_one_broken_check_leaves_the_other_learners_alone(course: Course) -> None:
    """the same trouble in one notebook does not end the run for the next"""
    assert course.scores("bob") == course.scores("ada")
    assert set(NAMES) == set(CLEAR) | set(UNKNOWN)


def test_the_reason_is_in_the_feedback(course: Course) -> None:
    """the learner reads why a check was not judged, and what was on stderr"""
    folder = course.root / "feedback" / "ada" / course.stem
    text = (folder / f"{course.stem}.html").read_text(encoding="utf-8")
    assert text.count("This check could not be judged:") >= len(UNKNOWN)
    assert "no &lt;port&gt; was free" in text
    assert "from a child" in text


def test_an_answer_not_given_is_zero(course: Course) -> None:
    """an untouched question needs no person"""
    assert course.scores("ada")["reflect"] == (0.0, False)


def test_a_submitted_folder_cannot_replace_the_grader(course: Course) -> None:
    """a folder `grader` handed in with the notebook is not what `import` finds"""
    assert course.scores("shadows")["imports_grader"] == (0.0, False)


def test_a_deleted_test_cell_comes_back(course: Course) -> None:
    """deleting a graded cell does not save a learner from it"""
    assert course.scores("deletes")["fails"] == (0.0, False)


def test_nbgrader_works_from_another_folder(course: Course) -> None:
    """with --course-dir, commands read this configuration and write to the course"""
    assert course.release.exists()
    assert list(course.home("teacher").iterdir()) == []


def _delete_cell(path: Path, cell_id: str) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != cell_id]
    path.write_text(json.dumps(notebook), encoding="utf-8")
