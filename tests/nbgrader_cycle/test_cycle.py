"""A class of three goes through all of nbgrader's stock commands."""

import csv
import re
import subprocess
from pathlib import Path

import pytest

from tests.nbgrader_cycle.nbgrader_course import REPO, Course, answer, make_course

STEM = "ex04_memory_saver"
SUBMISSIONS = REPO / "tests" / "submissions" / STEM
HALF = '''
def resume(thread_id: str) -> str:
    """Forget where the turn was cut off, and say so."""
    return "nothing to resume"
'''
# The points of each check, by learner. The one who is half right shares memory
# between processes, and cannot go on from a turn that was cut off.
SCORES = {
    "right": {
        "crosses_processes": 3.0,
        "resumes_elsewhere": 3.0,
        "stays_apart": 1.0,
        "loses_no_turn": 2.0,
        "survives_restart": 1.0,
    },
    "wrong": {
        "crosses_processes": 0.0,
        "resumes_elsewhere": 0.0,
        "stays_apart": 0.0,
        "loses_no_turn": 0.0,
        "survives_restart": 0.0,
    },
    "half": {
        "crosses_processes": 3.0,
        "resumes_elsewhere": 0.0,
        "stays_apart": 1.0,
        "loses_no_turn": 2.0,
        "survives_restart": 1.0,
    },
}

pytestmark = [pytest.mark.xdist_group("cycle"), pytest.mark.slow]


def text_of(student: str) -> str:
    """Return what a learner writes into the submission cell."""
    if student == "wrong":
        return (SUBMISSIONS / "wrong" / "starter_memory_saver.py").read_text()
    right = (SUBMISSIONS / "right" / "sqlite_saver.py").read_text()
    return right + HALF if student == "half" else right


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """From a fresh clone to exported grades, with the commands of nbgrader's manual."""
    course = make_course(tmp_path_factory.mktemp("cycle"), STEM)
    course.nbgrader("generate_assignment", STEM)
    course.exchange("release_assignment", STEM)
    for student in SCORES:
        home = course.home(student)
        course.exchange("fetch_assignment", STEM, cwd=home)
        answer(home / STEM / course.release.name, text_of(student))
        course.exchange("submit", STEM, f"--student={student}", cwd=home)
    course.exchange("collect", STEM)
    course.nbgrader("autograde", STEM)
    course.nbgrader("generate_feedback", STEM)
    course.exchange("release_feedback", STEM)
    course.nbgrader("export", "--to=grades.csv")
    return course


@pytest.mark.parametrize("student", SCORES)
def test_each_check_gets_its_points(course: Course, student: str) -> None:
    """the gradebook holds each check's points, none of them for a person to judge"""
    found = course.scores(student)
    expected = {name: (points, False) for name, points in SCORES[student].items()}
    assert {name: found[name] for name in expected} == expected


def test_the_export_holds_the_sums(course: Course) -> None:
    """10, 0 and 7 points of 10"""
    with (course.root / "grades.csv").open() as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert {name: float(row["score"]) for name, row in rows.items()} == {
        name: sum(points.values()) for name, points in SCORES.items()
    }
    assert {float(row["max_score"]) for row in rows.values()} == {10.0}


def test_feedback_shows_the_failed_claim(course: Course) -> None:
    """a learner who lost points reads which promise was broken"""
    folder = course.root / "feedback" / "wrong" / STEM
    text = (folder / f"{STEM}.html").read_text(encoding="utf-8")
    assert "what process 0 was told, process 1 knows" in text


def without_points(course: Course, student: str) -> set[str]:
    """Return the claims for which autograde has not given all points."""
    given = course.scores(student)
    return {name for name, full in SCORES["right"].items() if given[name][0] != full}


@pytest.mark.parametrize(
    ("configured", "students"), [(False, ("right", "wrong", "half")), (True, ("half",))]
)
def test_validate_says_what_autograde_gives(
    course: Course, configured: bool, students: tuple[str, ...]
) -> None:
    """at home and in the course, validate fails the claims that get no points"""
    paths = [str(course.home(name) / STEM / course.release.name) for name in students]
    cwd = course.root if configured else course.home("nobody")
    said = course.nbgrader("validate", *paths, cwd=cwd)
    parts = re.split(r"Success!|VALIDATION FAILED", said)[1:]  # one for each notebook
    found = [set(re.findall(r'grade\("(\w+)"\)', part)) for part in parts]
    assert found == [without_points(course, name) for name in students]


def test_what_is_released_is_what_is_committed(course: Course) -> None:
    """the stock command makes the committed notebook, byte for byte"""
    for name in (f"{STEM}.ipynb", "starter.py"):
        committed = (REPO / "notebooks" / STEM / name).read_bytes()
        assert committed == (course.release.parent / name).read_bytes(), name


def test_no_solution_leaves_the_teachers_clone(course: Course) -> None:
    """neither exchange nor learners have a line of the source"""
    for folder in ("exchange", "homes"):
        for path in (course.root.parent / folder).rglob("*"):
            assert not path.match("ex[0-9][0-9]_*.py"), path
    outbound = course.root.parent / "exchange" / "langgraph-in-four-processes"
    for path in (outbound / "outbound").rglob("*.ipynb"):
        assert "hidden=True" not in path.read_text(encoding="utf-8")


def test_nothing_runs_on_after_grading(course: Course) -> None:
    """no process of a submission outlives the commands"""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True)
    folder = str(Path(course.root.parent))
    assert [line for line in listed.stdout.splitlines() if folder in line] == []
