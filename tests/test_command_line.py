"""The command line: what goes in, what is printed, and the exit status for scripts."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from jsonschema import Draft202012Validator

from grader.reports.document import schema
from grader.vocabulary.history import load
from tests.commands import (
    BAD_INPUT,
    BROKE,
    CORPUS,
    FAILED,
    PASSED,
    RIGHT,
    STEM,
    grader,
    notebook,
)
from tests.harness.living import LIMIT_S, ROOT, leftovers, survivors, tree

WRONG = CORPUS / "wrong" / "starter_memory_saver.py"


def test_on_postgresql(tmp_path: Path) -> None:
    """a check is run on PostgreSQL, and where there is none the error says so"""
    stem = "ex01_non_serializable_state"
    chosen = ("--exercise", stem, "--database", "postgres")
    either = CORPUS.parent / stem / "right" / "either_database.py"
    status, out, err = grader("check", either, *chosen, DATABASE_URL="")
    assert (status, err) == (PASSED, ""), out
    nowhere = f"postgresql://me@/none?host={tmp_path}"
    status, out, err = grader("check", either, *chosen, DATABASE_URL=nowhere)
    assert (status, err) == (BROKE, "")
    assert "not run without PostgreSQL" in out
    status, out, err = grader("check", either, "--database", "mysql")
    assert (status, out) == (BAD_INPUT, "")
    assert "'sqlite', 'postgres'" in err or "sqlite, postgres" in err


def test_right(tmp_path: Path) -> None:
    """a right submission ends with status 0, a valid verdict, a page and a history"""
    page, history = tmp_path / "report.html", tmp_path / "history.jsonl"
    status, out, err = grader(
        *("check", RIGHT, "--seed", "4711", "--json"),
        *("--html", page, "--history", history),
        TMPDIR=str(tmp_path),
    )
    assert (status, err) == (PASSED, "")
    verdict = json.loads(out)
    Draft202012Validator(schema()).validate(verdict)
    assert (verdict["exercise"], verdict["seed"]) == (STEM, 4711)
    assert verdict["score"] == verdict["max_score"] > 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert load(history).seed == 4711
    assert leftovers(tmp_path) == []


def test_wrong_and_replay() -> None:
    """a wrong one ends with status 1; the seed of its report shows the same again"""
    reports = [grader("check", WRONG, "--seed", "17") for _ in range(2)]
    assert [status for status, _, _ in reports] == [FAILED, FAILED]
    (_, first, _), (_, second, _) = reports
    assert "seed 17" in first
    assert "✗ what process 0 was told, process 1 knows" in first
    assert said(first) == said(second)
    assert "\x1b" not in first  # colours are for a terminal


def said(report: str) -> set[str]:
    """Return what the report quotes, without the numbers of the observations."""
    return set(re.findall(r"'.*'", report))


def test_notebook(tmp_path: Path) -> None:
    """of a notebook its one submission cell is judged, and it says which exercise"""
    cell = "%%submission\nimport no_such_library\n"
    path = notebook(tmp_path, f"%load_ext grader\n%exercise {STEM}", cell, "check()")
    status, out, _ = grader("check", path)
    assert status == FAILED
    assert "ModuleNotFoundError in line 2 of the submission" in out


def test_help() -> None:
    """the help names every command, what it does, and the exit statuses"""
    status, out, _ = grader("--help", COLUMNS="80")
    assert status == PASSED
    for command in ("lab", "check", "build", "bundle", "new", "doctor"):
        assert re.search(rf"^ +{command} +\w+", out, re.MULTILINE)
    status, out, _ = grader("check", "--help", COLUMNS="80")
    assert status == PASSED
    for number in range(4):
        assert re.search(rf"^  {number}  \w+", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("arguments", [(), ("chekc",), ("check",), ("check", "--no")])
def test_usage(arguments: tuple[str, ...]) -> None:
    """a command that is none is refused with the usage, and status 2"""
    status, out, err = grader(*arguments)
    assert (status, out) == (BAD_INPUT, "")
    assert err.startswith("usage: python -m grader")


def test_doctor() -> None:
    """doctor names what is installed, and says what a missing program costs"""
    status, out, _ = grader("doctor", PATH="/nowhere")
    assert status == PASSED
    assert "one can connect to a socket" in out or "one can do all that you can" in out
    assert re.search(r"^✓ langgraph +\d", out, re.MULTILINE)
    assert re.search(r"^– chromium +missing$", out, re.MULTILINE)
    assert "install the system package chromium" in out
    assert re.search(r"^[✓–] nginx +(nginx \d|missing)", out, re.MULTILINE)


def test_lab(tmp_path: Path) -> None:
    """lab prints the address of the first notebook, and ends cleanly at SIGINT"""
    home = {"HOME": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "0"}
    command = [sys.executable, "-m", "grader", "lab", "--no-browser"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **home},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        try:
            address, all_of_it = heard(running)
            assert "lab/tree/ex00_start_here/ex00_start_here.ipynb" in address
            found = tree(running.pid)
            os.killpg(running.pid, signal.SIGINT)  # as a terminal does at Ctrl-C
            running.communicate(timeout=LIMIT_S)
        finally:
            if running.poll() is None:
                for process in tree(running.pid):
                    process.kill()
    assert "Traceback" not in all_of_it
    assert not survivors(found)


def heard(running: subprocess.Popen[Any]) -> tuple[str, str]:
    """Read until an address is printed; return it and all that was read."""
    assert running.stderr is not None
    text = ""
    while not (found := re.search(r"http://\S+/lab/\S*token=\w+", text)):
        ready, _, _ = select.select([running.stderr], [], [], LIMIT_S)
        assert ready, text
        more = os.read(running.stderr.fileno(), 65536).decode()
        assert more, text
        text += more
    assert psutil.pid_exists(running.pid)
    return found.group(), text
