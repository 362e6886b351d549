"""Runs nbgrader's stock commands on a copy of this course."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from nbgrader.api import Gradebook, SubmittedNotebook

from grader.harness import tiers

REPO = Path(__file__).parents[2]
# Where there is no sandbox, the tests' own submissions are graded all the same.
ACCEPTED = {"GRADER_ACCEPT_TIER": "3"} if tiers.why_not_isolated() else {}
COURSE_ID = "langgraph-in-four-processes"


@dataclass(frozen=True)
class Course:
    """A teacher's clone, an exchange, and the homes of its learners."""

    root: Path
    stem: str

    @property
    def release(self) -> Path:
        """The notebook that learners get."""
        return self.root / "notebooks" / self.stem / f"{self.stem}.ipynb"

    def home(self, student: str) -> Path:
        """A folder of the learner's own, where no configuration of ours is."""
        home = self.root.parent / "homes" / student
        home.mkdir(parents=True, exist_ok=True)
        return home

    def nbgrader(
        self,
        *args: str,
        cwd: Path | None = None,
        code: int = 0,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Run one command, expect its exit code, and return what it printed.

        Its output goes to a file: what outlives a command would keep a pipe open.
        """
        bin_folder = Path(sys.executable).parent
        state = self.root.parent
        whole = {
            **os.environ,
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "JUPYTER_DATA_DIR": str(state / "data"),
            "JUPYTER_CONFIG_DIR": str(state / "config"),
            "IPYTHONDIR": str(state / "ipython"),
            **ACCEPTED,
            **environment,
        }
        log = state / "log.txt"
        with log.open("wb") as file:
            done = subprocess.run(
                [str(bin_folder / "nbgrader"), *args],
                cwd=cwd or self.root,
                env=whole,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        text = log.read_text(errors="replace")
        assert code == done.returncode, f"nbgrader {' '.join(args)}\n{text}"
        return text

    def exchange(self, *args: str, cwd: Path | None = None) -> str:
        """Run a command on this course's own exchange folder."""
        folder = self.root.parent / "exchange"
        return self.nbgrader(
            *args,
            f"--course={COURSE_ID}",
            f"--Exchange.root={folder}",
            f"--Exchange.cache={self.root.parent / 'cache'}",
            cwd=cwd,
        )

    def submitted(self, student: str) -> Path:
        """Where `nbgrader collect` puts what a learner hands in."""
        return self.root / "submitted" / student / self.stem

    def hands_in(self, student: str) -> None:
        """Hand in the notebook as it was released."""
        self.submitted(student).mkdir(parents=True)
        shutil.copy(self.release, self.submitted(student))

    @contextmanager
    def graded(self, student: str) -> Iterator[SubmittedNotebook]:
        """Open a learner's entry in the gradebook."""
        with Gradebook(f"sqlite:///{self.root}/gradebook.db", COURSE_ID) as gradebook:
            yield gradebook.find_submission_notebook(self.stem, self.stem, student)

    def scores(self, student: str) -> dict[str, tuple[float | None, bool]]:
        """Return each cell's automatic score, and whether a person must look."""
        with self.graded(student) as notebook:
            return {
                grade.name: (grade.auto_score, grade.needs_manual_grade)
                for grade in notebook.grades
            }


def make_course(folder: Path, stem: str, source: str | None = None) -> Course:
    """Copy what a course needs; with `source`, a sample instead of an exercise."""
    root = folder / "course"
    root.mkdir()
    shutil.copy(REPO / "nbgrader_config.py", root)
    target = root / "solutions" / stem
    if source is None:
        # As in a fresh clone: the texts, and the notebooks made from them.
        made = shutil.ignore_patterns("*.ipynb", "starter.py", "__pycache__")
        shutil.copytree(REPO / "solutions" / stem, target, ignore=made)
        shutil.copytree(REPO / "notebooks" / stem, root / "notebooks" / stem)
    else:
        target.mkdir(parents=True)
        (target / f"{stem}.py").write_text(source)
    return Course(root, stem)


def answer(notebook: Path, text: str) -> None:
    """Write a learner's text into the submission cell of a notebook."""
    data = json.loads(notebook.read_text(encoding="utf-8"))
    (cell,) = [cell for cell in data["cells"] if cell["id"] == "submission"]
    cell["source"] = f"%%submission\n{text}"
    notebook.write_text(json.dumps(data), encoding="utf-8")
