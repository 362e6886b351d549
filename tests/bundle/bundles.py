"""What the tests of bundles share: the command, and how a bundle is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STEM, OTHER = "ex00_start_here", "ex04_memory_saver"
CORPUS = ROOT / "tests" / "submissions"
RIGHT = CORPUS / STEM / "right" / "row_per_ticket.py"
WRONG = CORPUS / STEM / "wrong" / "starter_from_memory.py"
GRADER = (sys.executable, "-m", "grader")
Run = subprocess.CompletedProcess[str]


def run(folder: Path, *command: str | Path, **environment: str) -> Run:
    """Run a program in a folder; the only grader on its path is the one there."""
    ran = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
        check=False,
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


def bundle(*arguments: str | Path, **environment: str) -> Run:
    """Run the command in the project."""
    return run(
        ROOT, sys.executable, "-m", "grader", "bundle", *arguments, **environment
    )


def made(*arguments: str | Path) -> None:
    """Run the command, which must work."""
    ran = bundle(*arguments)
    assert (ran.returncode, ran.stderr) == (0, "")


def unpacked(archive: Path, folder: Path) -> Path:
    """Unpack a zip as `unzip` does, permissions and all; return the folder."""
    with zipfile.ZipFile(archive) as opened:
        for about in opened.infolist():
            path = Path(opened.extract(about, folder))
            path.chmod(about.external_attr >> 16 & 0o777)
    return folder


def texts(folder: Path) -> dict[str, str]:
    """Return the text of every file below a folder, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def answered(notebook: Path, submission: str) -> str:
    """Return a released notebook as a learner hands it in: one cell is their own."""
    data: dict[str, Any] = json.loads(notebook.read_text(encoding="utf-8"))
    (cell,) = [
        cell
        for cell in data["cells"]
        if "".join(cell["source"]).startswith("%%submission")
    ]
    cell["source"] = f"%%submission\n{submission}"
    return json.dumps(data)
