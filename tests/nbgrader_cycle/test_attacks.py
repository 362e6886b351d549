"""A class of hostile learners, and two honest ones, in one `nbgrader autograde`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from grader.harness import tiers
from tests.nbgrader_cycle import hostile
from tests.nbgrader_cycle.hostile import Target, answers, runs
from tests.nbgrader_cycle.nbgrader_course import REPO, Course, make_course

STEM = "ex00_start_here"
FULL = {"counts_on": (6.0, False), "never_twice": (4.0, False)}
NOTHING = {"counts_on": (0.0, False), "never_twice": (0.0, False)}
A_PERSON = {"counts_on": (None, True), "never_twice": (None, True)}
SECRET = "the-teachers-secret-7f1e"
HONEST = ("ada", "zoe")  # the first and the last

# Who cheats without a right answer, and who breaks something beside a right one.
CHEATS = {
    "equal": lambda n, t: answers(n, hostile.ALWAYS_EQUAL),
    "exits": lambda n, t: answers(n, "import os\nos._exit(0)\n"),
    "forges": lambda n, t: runs(n, hostile.FORGES),
    "metadata": lambda n, t: hostile.metadata(n),
    "patches": lambda n, t: runs(n, hostile.PATCHES),
    "reads": lambda n, t: runs(n, t.aimed(hostile.READS)),
    "says": lambda n, t: answers(n, hostile.SAYS),
    "writes": lambda n, t: runs(n, t.aimed(hostile.WRITES)),
    "writes_then": lambda n, t: runs(n, hostile.VICTIM),
}
BREAKS = {
    "daemon": lambda n, t: runs(n, t.aimed(hostile.DAEMON)),
    "dies": lambda n, t: runs(n, "import os\nos._exit(1)"),
    "floods": lambda n, t: runs(n, hostile.FLOODS),
    "hangs": lambda n, t: runs(n, hostile.HANGS),
    "kills": lambda n, t: runs(n, t.aimed(hostile.KILLS)),
    "memory": lambda n, t: runs(n, "bytearray(5 << 30)"),
    "rearranged": lambda n, t: hostile.rearranged(n),
    "segfaults": lambda n, t: runs(n, "import ctypes\nctypes.string_at(0)"),
}

pytestmark = [pytest.mark.xdist_group("attacks"), pytest.mark.slow]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A course with a secret, and a process that nobody may end."""
    if tiers.why_not_isolated():
        pytest.skip(tiers.why_not_isolated())
    course = make_course(tmp_path_factory.mktemp("attacks"), STEM)
    (course.root / "secret.txt").write_text(SECRET)
    right = REPO / "tests" / "submissions" / STEM / "right" / "row_per_ticket.py"
    waiting = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE) as bystander:
        mark = f"daemon-of-{course.root.parent.name}-{os.getpid()}"
        text = right.read_text()
        yield Target(course.root, mark, bystander.pid, text)
        assert bystander.poll() is None, "a submission ended a process of the machine"


@pytest.fixture(scope="module")
def log(target: Target) -> str:
    """Grade them all in one command, and return what it said."""
    course = Course(target.root, STEM)
    course.nbgrader("generate_assignment", STEM)
    for name in (*HONEST, *BREAKS, *CHEATS, "two", "linked", *hostile.UNREADABLE):
        course.hands_in(name)
        path = course.submitted(name) / course.release.name
        notebook = hostile.load(path)
        if name not in CHEATS:
            answers(notebook, target.right)
        {**CHEATS, **BREAKS}.get(name, lambda n, t: None)(notebook, target)
        if name == "two":
            hostile.two(notebook)
        unreadable = hostile.UNREADABLE.get(name)
        data = unreadable[0](notebook) if unreadable else json.dumps(notebook).encode()
        path.write_bytes(data)
    _link(course)
    with (course.submitted("bad_line") / course.release.name).open("ab") as file:
        file.truncate(200_000_000)
    said = course.nbgrader("autograde", STEM, "--Execute.timeout=4")
    course.nbgrader("generate_feedback", STEM)
    return said


@pytest.fixture
def course(target: Target, log: str) -> Course:
    """The course after it has been graded."""
    return Course(target.root, STEM)


def _link(course: Course) -> None:
    """Put links, a pipe and a module in the place of the grader beside notebooks."""
    theirs = course.submitted("reads")
    (theirs / "secret.txt").symlink_to(course.root / "secret.txt")
    (theirs / "others").symlink_to(course.root / "submitted")
    (theirs / "nowhere").symlink_to("/nowhere")
    os.mkfifo(theirs / "timestamp.txt")
    (theirs / "grader").mkdir()
    (theirs / "grader" / "__init__.py").write_text("raise SystemExit")
    (course.submitted("kills") / "timestamp.txt").write_text("when I like")
    notebook = course.submitted("linked") / course.release.name
    notebook.unlink()
    notebook.symlink_to(course.submitted("zoe") / notebook.name)


def shown(course: Course, name: str) -> str:
    """Return all that a learner's autograded notebook holds."""
    path = course.root / "autograded" / name / STEM / f"{STEM}.ipynb"
    return path.read_text(encoding="utf-8")


def outputs(course: Course, name: str) -> str:
    """Return what a learner's cells have shown, as JSON."""
    cells = json.loads(shown(course, name))["cells"]
    return json.dumps([cell.get("outputs") for cell in cells])


def feedback(course: Course, name: str) -> str:
    """Return a learner's feedback page."""
    path = course.root / "feedback" / name / STEM / f"{STEM}.html"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", HONEST)
def test_honest_learners_get_their_points(course: Course, name: str) -> None:
    """the first and the last of a hostile class are graded as if they were alone"""
    assert course.scores(name) == FULL
    assert "it is judged outside of its kernel" in outputs(course, name)
    assert "nothing is observed in its kernel" in outputs(course, name)


@pytest.mark.parametrize("name", BREAKS)
def test_a_right_answer_keeps_its_points(course: Course, name: str) -> None:
    """whatever happens to the kernel or to graded cells, the answer is what counts"""
    assert course.scores(name) == FULL


@pytest.mark.parametrize("name", CHEATS)
def test_cheating_gives_nothing(course: Course, name: str) -> None:
    """no kernel, no metadata and no stored result has a say in the score"""
    assert course.scores(name) == NOTHING


@pytest.mark.parametrize("name", [*hostile.UNREADABLE, "two", "linked"])
def test_what_cannot_be_read_is_for_a_person(
    course: Course, log: str, name: str
) -> None:
    """it is no zero; the reason is in the log, in the comment and in the feedback"""
    usual = {
        "two": "expected one cell that begins with %%submission, found 2 that differ",
        "linked": "expected a notebook, found a symbolic link",
        "bad_line": "found 200000000 bytes",
    }
    expected = usual.get(name) or hostile.UNREADABLE[name][1]
    assert course.scores(name) == A_PERSON
    reasons = [line for line in log.splitlines() if f"{name}: " in line]
    assert expected in reasons[0]
    with course.graded(name) as notebook:
        (comment,) = [c.comment for c in notebook.comments if c.name == "submission"]
    assert expected in comment
    assert "could not be judged" in feedback(course, name)


@pytest.mark.parametrize(
    ("name", "reason"),
    {
        "dies": "Kernel died",
        "floods": "it showed more than",
        "hangs": "timed out",
        "memory": "MemoryError",
    }.items(),
)
def test_the_page_says_what_stopped_the_notebook(
    course: Course, name: str, reason: str
) -> None:
    """a learner reads where and why the notebook was not run to its end"""
    assert reason in shown(course, name)


def test_changed_cells_are_logged(log: str) -> None:
    """a teacher reads which graded cells were not as they were released"""
    assert "rearranged: the cell counts_on was there 2 times" in log
    assert "rearranged: the cell never_twice was missing" in log


def test_nothing_was_read(course: Course) -> None:
    """neither a learner's kernel nor a link in their folder leads to anybody's data"""
    for name in ("reads", "linked"):
        folder = course.root / "autograded" / name
        names = {path.name for path in folder.rglob("*") if path.is_file()}
        made = {f"{STEM}.ipynb", "starter.py"}
        assert {name for name in names - made if not name.endswith(".svg")} == set()
        assert SECRET not in shown(course, name) + feedback(course, name)
        # Of this folder the kernel knows one name: where its interpreter is.
        known = outputs(course, name).replace(f"{REPO}/.venv", "")
        assert str(REPO) not in known
        for secret in ("SQLite format", "row for each ticket", "root:"):
            assert secret not in outputs(course, name), secret
    assert "/proc/3/environ" in outputs(course, "reads")  # it did look


def test_nothing_was_written(course: Course, target: Target) -> None:
    """no file of the machine has changed, and the next learner's kernel starts clean"""
    state = target.root.parent
    left = [*state.rglob("00-left.py"), *state.rglob("sitecustomize.py")]
    assert left == []
    assert "OperationalError" in outputs(course, "writes")  # it did try
    assert "WRITABLE" not in outputs(course, "writes")
    cells = json.loads(shown(course, "writes_then"))["cells"]
    (victim,) = [c for c in cells if "".join(c["source"]) == hostile.VICTIM]
    said = [part for output in victim["outputs"] for part in output["text"]]
    assert "".join(said) == "False\n"


def test_nothing_runs_on(course: Course, target: Target) -> None:
    """no process of a submission, a kernel or a harness outlives the command"""
    assert [c for c in _commands() if target.mark in c or str(target.root) in c] == []
    assert [c for c in _commands() if "grader-kernel-" in c and STEM in c] == []


def test_hidden_tests_are_shown_nowhere(course: Course) -> None:
    """neither what learners get nor what comes back to them holds a hidden test"""
    source = course.root / "solutions" / STEM / f"{STEM}.ipynb"
    assert "HIDDEN TESTS" in source.read_text(encoding="utf-8")
    for folder in ("notebooks", "autograded", "feedback"):
        for path in (course.root / folder).rglob(f"{STEM}.*"):
            text = path.read_text(encoding="utf-8")
            assert "HIDDEN TESTS" not in text, path
            assert "hidden=True" not in text, path


def test_feedback_shows_evidence_and_timeline(course: Course) -> None:
    """a learner who lost points sees the observations, and the run as a picture"""
    page = feedback(course, "forges")
    assert "was handed out twice" in page
    assert "data:image/svg+xml;base64," in page
    assert '"text/plain": ["0.0"]' in outputs(course, "forges")


def _commands() -> list[str]:
    found = (process.info["cmdline"] for process in psutil.process_iter(["cmdline"]))
    return [" ".join(words) for words in found if words]
