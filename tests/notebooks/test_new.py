"""`python -m grader new` writes an exercise that is whole but for its content."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.build import build
from grader.new import new, stem_of
from grader.vocabulary import Exercise

REPO = Path(__file__).parents[2]
TITLE = "Memory that only one process can see"
STEM = "ex00_memory_process_see"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copy(REPO / "nbgrader_config.py", tmp_path)
    shutil.copy(REPO / "pyproject.toml", tmp_path)
    return tmp_path


def test_a_skeleton_is_a_whole_exercise(root: Path) -> None:
    """the text builds, and its graded cells are the checks, for ten points"""
    new(TITLE, root)
    exercise = _load(root / "grader" / "exercises" / f"{STEM}.py")
    assert exercise.points == 10
    assert exercise.title == TITLE
    build([STEM], root)
    release = root / "notebooks" / STEM / f"{STEM}.ipynb"
    cells = json.loads(release.read_text())["cells"]
    graded = [
        (nbgrader["grade_id"], nbgrader["points"])
        for cell in cells
        if cell["cell_type"] == "code"
        and (nbgrader := cell["metadata"].get("nbgrader", {})).get("grade")
    ]
    assert graded == [(c.name, c.points) for c in exercise.checks.values()]


def test_a_skeleton_is_in_style(root: Path) -> None:
    """lint and format have nothing to say about it"""
    paths = [str(path) for path in new(TITLE, root)]
    ruff = str(Path(sys.executable).with_name("ruff"))
    for command in (["check", "--quiet"], ["format", "--check", "--quiet"]):
        done = subprocess.run(
            [ruff, *command, *paths], cwd=root, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


def test_numbers_go_on_from_the_last(root: Path) -> None:
    """without a number, the next; a number that is taken is refused"""
    new(TITLE, root, 4)
    assert new("Loops without an end", root)[0].stem == "ex05_loops_without_end"
    with pytest.raises(FileExistsError, match="found ex04_memory_process_see"):
        new("Another", root, 4)


def test_a_title_without_words_is_refused() -> None:
    """a file needs a name"""
    with pytest.raises(ValueError, match="expected a title with a telling word"):
        stem_of("Of the …", 3)


def _load(path: Path) -> Exercise:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    exercise: Exercise = module.exercise
    return exercise
