"""What a bundle is made from: a teacher's clone, whatever else lies around in it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.bundle.bundles import GRADER, RIGHT, ROOT, STEM, answered, run

COURSE = ("grader", "solutions", "notebooks")


def a_clone(folder: Path) -> Path:
    """Copy what bundles are made from, and let git know it all."""
    for name in COURSE:
        skipped = shutil.ignore_patterns("__pycache__", ".progress")
        shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    for path in ROOT.iterdir():
        if path.is_file() and path.name != ".git":
            shutil.copy(path, folder)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def test_nothing_that_lies_around(tmp_path: Path) -> None:
    """what somebody tried or noted in the clone changes no byte of the bundle"""
    clone = tmp_path / "clone"
    clone.mkdir()
    a_clone(clone)

    def zipped(name: str) -> bytes:
        ran = run(clone, *GRADER, "bundle", "class", "-o", tmp_path / name)
        assert (ran.returncode, ran.stderr) == (0, "")
        return (tmp_path / name).read_bytes()

    first = zipped("first.zip")
    solved = clone / "notebooks" / STEM / f"{STEM}.ipynb"
    solved.write_text(answered(solved, RIGHT.read_text(encoding="utf-8")))
    (clone / "notebooks" / ".progress").mkdir()
    for name in (
        *("gradebook.db", "grader/answers.py", "notebooks/.progress/ex00.json"),
        *(f"notebooks/{STEM}/mine.py", "grades.csv", "notebooks/copy.ipynb"),
    ):
        (clone / name).write_text("# not for learners\n", encoding="utf-8")
    assert first == zipped("second.zip")


def test_a_download(tmp_path: Path, class_zip: Path) -> None:
    """a copy of the project without git gives the same bundle"""
    clone = tmp_path / "clone"
    clone.mkdir()
    shutil.rmtree(a_clone(clone) / ".git")
    out = tmp_path / "bundle.zip"
    ran = run(clone, *GRADER, "bundle", "class", "-o", out)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert class_zip.read_bytes() == out.read_bytes()


def test_source_that_cannot_be_built(tmp_path: Path) -> None:
    """a text that makes no notebook is an error that names it, and nothing is made"""
    clone = tmp_path / "clone"
    clone.mkdir()
    a_clone(clone)
    (clone / "solutions" / STEM / f"{STEM}.py").write_text("x = 1\n", encoding="utf-8")
    ran = run(clone, *GRADER, "bundle", "class", "-o", tmp_path / "out")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"solutions/{STEM}/{STEM}.py" in ran.stderr
    assert not (tmp_path / "out").exists()
