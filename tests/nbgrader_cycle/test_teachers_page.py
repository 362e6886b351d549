"""The commands of the README's class of three, as they stand there."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.nbgrader_cycle.nbgrader_course import ACCEPTED, REPO, answer, make_course
from tests.nbgrader_cycle.test_cycle import SCORES, STEM, text_of

HEADING = "### A class of three, from release to grades"
CLASS = {"ada": "right", "bob": "wrong", "cem": "half"}

pytestmark = [pytest.mark.xdist_group("cycle"), pytest.mark.slow]


def commands() -> str:
    """Return the commands, one a line."""
    text = (REPO / "README.md").read_text(encoding="utf-8").partition(HEADING)[2]
    found = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


def test_class_of_three(tmp_path: Path) -> None:
    """typed as they are, they lead from three notebooks to feedback and grades"""
    course = make_course(tmp_path, STEM)
    downloads = tmp_path / "home" / "Downloads"
    downloads.mkdir(parents=True)
    for learner, kind in CLASS.items():
        shutil.copy(course.release, downloads / f"{learner}.ipynb")
        answer(downloads / f"{learner}.ipynb", text_of(kind))
    log = tmp_path / "log.txt"
    with log.open("wb") as file:  # a pipe would be held by what outlives a command
        subprocess.run(
            ["sh", "-ec", commands()],
            cwd=course.root,
            env={
                **os.environ,
                **ACCEPTED,
                "HOME": str(downloads.parent),
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(REPO),
            },
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    assert (course.root / "grades.csv").is_file(), log.read_text(errors="replace")
    with (course.root / "grades.csv").open() as file:
        scores = {
            row["student_id"]: float(row["score"]) for row in csv.DictReader(file)
        }
    expected = {name: sum(SCORES[kind].values()) for name, kind in CLASS.items()}
    assert scores == expected
    for learner in CLASS:
        page = course.root / "feedback" / learner / STEM / f"{STEM}.html"
        text = page.read_text(encoding="utf-8")
        assert f"Score: {expected[learner]}" in text
        assert ("data:image/svg+xml;base64," in text) == (expected[learner] < 10)
