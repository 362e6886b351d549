"""Commands of the grader, run to their end, and the files that they are given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.harness.living import ROOT

STEM = "ex04_memory_saver"
CORPUS = ROOT / "tests" / "submissions" / STEM
RIGHT = CORPUS / "right" / "sqlite_saver.py"
PASSED, FAILED, BAD_INPUT, BROKE = 0, 1, 2, 3


def grader(*arguments: str | Path, **environment: str) -> tuple[int, str, str]:
    """Run one command; return its status, its output and what it complained of."""
    ran = subprocess.run(
        [sys.executable, "-m", "grader", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
    )
    assert "Traceback" not in ran.stderr
    return ran.returncode, ran.stdout, ran.stderr


def notebook(folder: Path, *cells: str, kind: str = "code") -> Path:
    """Write a notebook of these cells."""
    made = [
        {"cell_type": kind, "metadata": {}, "source": cell, "outputs": []}
        for cell in cells
    ]
    path = folder / "mine.ipynb"
    text = {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(text))
    return path
