"""Cells that take all they get, and cells that try the walls around their kernel."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.harness import tiers
from tests.nbgrader_cycle import greedy, hostile
from tests.nbgrader_cycle.greedy import Decoys, decoys, filled
from tests.nbgrader_cycle.hostile import Notebook, answers, runs
from tests.nbgrader_cycle.nbgrader_course import REPO, Course, make_course

STEM = "ex05_non_dict_returns"  # another one than that of test_attacks.py
POINTS = {"complete": 3.0, "nothing_dropped": 3.0}
POINTS |= {"both_notes": 2.0, "invalid_reported": 2.0}
RIGHT = REPO / "tests" / "submissions" / STEM / "right" / "asks_twice.py"

pytestmark = pytest.mark.slow


def takes(notebook: Notebook, mark: str) -> None:
    """Answer right; take all processes, then memory."""
    answers(notebook, RIGHT.read_text())
    runs(notebook, filled(greedy.PROCESSES, mark=mark), 2)
    runs(notebook, filled(greedy.MEMORY), 3)


def tries(notebook: Notebook, told: dict[str, Any]) -> None:
    """Answer right; try the walls, files and disks, and say too much at once."""
    answers(notebook, RIGHT.read_text())
    cells = (greedy.CANARY, greedy.FILES, greedy.DISK, greedy.SHOUTS)
    for at, code in enumerate(cells, 2):
        runs(notebook, filled(code, decoys=told), at)


def forges(notebook: Notebook) -> None:
    """Change all that a notebook says of itself, and show too much in the end."""
    hostile.metadata(notebook)
    runs(notebook, filled(greedy.FLOODS), len(notebook["cells"]))


@pytest.fixture(scope="module")
def aims() -> Iterator[Decoys]:
    """What there is on this machine to be reached."""
    if tiers.why_not_isolated():
        pytest.skip(tiers.why_not_isolated())
    with tempfile.TemporaryDirectory() as folder, decoys(Path(folder)) as made:
        yield made


@pytest.fixture(scope="module")
def mark(aims: Decoys) -> str:
    """What the processes are called that a cell starts."""
    return f"left-by-{aims.folder.name}-{os.getpid()}"


@pytest.fixture(scope="module")
def course(aims: Decoys, mark: str, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The course after it has been graded, in one command."""
    made = make_course(tmp_path_factory.mktemp("greedy"), STEM)
    made.nbgrader("generate_assignment", STEM)
    hand_in: dict[str, Callable[[Notebook], None]] = {
        "forges": forges,
        "takes": lambda notebook: takes(notebook, mark),
        "tries": lambda notebook: tries(notebook, aims.told()),
    }
    for name, hostility in hand_in.items():
        made.hands_in(name)
        path = made.submitted(name) / made.release.name
        notebook = hostile.load(path)
        hostility(notebook)
        path.write_text(json.dumps(notebook), encoding="utf-8")
    limit = f"--ExecuteOutside.memory_limit={greedy.MEMORY_B}"
    made.nbgrader("autograde", STEM, limit)
    return made


def outputs(course: Course, name: str) -> str:
    """Return what a learner's cells have shown, one cell after the other."""
    path = course.root / "autograded" / name / STEM / f"{STEM}.ipynb"
    shown = []
    for cell in hostile.load(path)["cells"]:
        for output in cell.get("outputs", ()):
            # A kernel may send one line in two: its text goes on where the last ended.
            shown += output.get("text", ["\n", *output.get("traceback", ()), "\n"])
    return "".join(shown)


@pytest.mark.parametrize(
    ("name", "share"), {"takes": 1, "tries": 1, "forges": 0}.items()
)
def test_only_the_answer_counts(course: Course, name: str, share: int) -> None:
    """right answers keep all points, and starters get none, whatever a cell does"""
    found = course.scores(name)
    assert {check: found[check] for check in POINTS} == {
        check: (share * points, False) for check, points in POINTS.items()
    }


def test_the_walls_stand(course: Course) -> None:
    """nothing of what the canary tries gets through, from a cell of a notebook"""
    (line,) = [x for x in outputs(course, "tries").splitlines() if "through" in x]
    found = json.loads(line)
    # A datagram is sent to nobody. Who has started the kernel is outside, and has no
    # number inside: 0 stands for the kernel's own group.
    assert found["parent"] == 0
    assert found["through"].keys() == {"send a datagram", "signal its parent"}


def test_nobody_was_reached(course: Course, aims: Decoys) -> None:
    """no socket of the machine was connected to, and no file of it was touched"""
    assert aims.reached() == []
    assert {path.name for path in aims.folder.iterdir()} == {"secret", "socket"}
    assert (aims.folder / "secret").read_text() == "nobody's"


@pytest.mark.parametrize(
    ("name", "what"),
    {
        "processes": "takes",
        "files": "tries",
        "/tmp": "tries",
        "/dev/shm": "tries",
    }.items(),
)
def test_there_is_an_end(course: Course, name: str, what: str) -> None:
    """a cell gets some of everything, and then is refused, long before it is sated"""
    found = re.search(rf"took (\d+) {name}: \[Errno", outputs(course, what))
    assert found is not None
    assert 0 < int(found[1]) < greedy.TAKES[name]


@pytest.mark.parametrize(
    ("name", "reason"),
    {
        "takes": f"it used more than {greedy.MEMORY_B} bytes of memory",
        "tries": "timed out",  # what was said at once never came
        "forges": "it showed more than",
    }.items(),
)
def test_the_page_says_what_stopped_it(course: Course, name: str, reason: str) -> None:
    """who takes too much memory, or says too much at once or in all, reads so"""
    shown = outputs(course, name)
    assert reason in shown
    assert "xxxx" not in shown


def test_nothing_runs_on(course: Course, mark: str) -> None:
    """of two hundred processes that a cell has left none outlives the command"""
    found = psutil.process_iter(["cmdline"])
    assert not [p for p in found if mark in " ".join(p.info["cmdline"] or ())]
