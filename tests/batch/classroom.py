"""Small classes of a test's own, and the command that grades them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader import catalog
from grader.vocabulary import Result, Status, Verdict

ROOT = Path(__file__).parents[2]
STEM = "ex00_start_here"
OTHER = "ex04_memory_saver"
CORPUS = ROOT / "tests" / "submissions" / STEM
RIGHT = sorted((CORPUS / "right").glob("*.py"))[0]
WRONG = CORPUS / "wrong"
CELL = "%%submission\n"


def notebook(text: str, stem: str = STEM, *more: str) -> str:
    """Return a notebook with a submission cell."""
    cells = [f"%load_ext grader\n%exercise {stem}", f"{CELL}{text}", *more]
    made = [
        {"cell_type": "code", "metadata": {}, "source": cell, "outputs": []}
        for cell in cells
    ]
    data = {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(data)


def hand_in(tree: Path, author: str, text: str, stem: str = STEM) -> Path:
    """Put a notebook where nbgrader's collect would, and return its path."""
    path = tree / author / stem / f"{stem}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook(text, stem), encoding="utf-8")
    return path


def verdict(status: Status = Status.passed, stem: str = STEM, **fields: Any) -> Verdict:
    """Return a verdict in which every check ended so."""
    exercise = catalog.load(stem)
    results = tuple(
        Result(
            *(check.name, check.claim, status),
            check.points if status is Status.passed else 0.0,
            check.points,
            *("" if status is Status.passed else "what was seen",),
        )
        for check in exercise.checks.values()
    )
    return Verdict(stem, exercise.title, 1, 0, results, **fields)


def lines(out: Path) -> list[dict[str, Any]]:
    """Return all whole lines of a journal."""
    text = (out / "verdicts.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def small_judge(folder: Path) -> list[str]:
    """Return the command of a judge that passes everything, kept in a folder."""
    path = folder / "verdict.json"
    if not path.exists():
        path.write_text(json.dumps(verdict().to_json()), encoding="utf-8")
    judge = Path(__file__).with_name("small_judge.py")
    return [sys.executable, "-S", "-E", str(judge), str(path)]


class Nursery:
    """Runs the command many times, with a judge that needs no harness."""

    def __init__(self, folder: Path, *modules: str) -> None:
        self.folder = folder
        self.judge = small_judge(folder)
        script = str(Path(__file__).with_name("nursery.py"))
        self._process = subprocess.Popen(
            [sys.executable, script, *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def grade(
        self, *arguments: str | Path, kill_at: int = 0, accept: str = "3"
    ) -> dict[str, Any]:
        """Run `grade`; return its status, memory, pid, acts, and what it said."""
        log = self.folder / "said.log"
        order = {
            "arguments": ["grade", *map(str, arguments), "--accept-tier", accept],
            "judge": self.judge,
            "kill_at": kill_at,
            "log": str(log),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        said["said"] = log.read_text(encoding="utf-8")
        assert "Traceback" not in said["said"], said["said"]
        return said

    def judged(self) -> list[str]:
        """Return the digests that were given to the judge, each time it was."""
        return (self.folder / "judged.log").read_text(encoding="utf-8").split()

    def close(self) -> None:
        """End the nursery."""
        self._process.communicate()


def command(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start the real command."""
    return subprocess.Popen(
        [sys.executable, "-m", "grader", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **options,
    )


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Run the real command to its end; return status, output and complaints."""
    process = command(*arguments)
    out, err = process.communicate()
    assert "Traceback" not in err, err
    return process.returncode, out, err


def by_author(found: Sequence[Any]) -> dict[str, Any]:
    """Return submissions by their author."""
    return {one.author: one for one in found}
