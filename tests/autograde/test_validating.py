"""Validate judges the text of a notebook, and runs nothing of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nbgrader.validator import Validator

from grader.autograde.validating import validate

ROOT = Path(__file__).parents[2]
STEM = "ex00_start_here"
RIGHT = ROOT / "tests" / "submissions" / STEM / "right" / "row_per_ticket.py"


@pytest.fixture
def notebook() -> dict[str, Any]:
    """The released notebook."""
    path = ROOT / "notebooks" / STEM / f"{STEM}.ipynb"
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def validated(folder: Path, notebook: Any, name: str = STEM) -> Any:
    """Return what Validate says of a notebook."""
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return validate(Validator(), str(path))


def answered(notebook: dict[str, Any], text: str) -> dict[str, Any]:
    """Write a text into the submission cell."""
    (cell,) = [c for c in notebook["cells"] if c["id"] == "submission"]
    cell["source"] = f"%%submission\n{text}"
    return notebook


def test_right(tmp_path: Path, notebook: dict[str, Any]) -> None:
    """a right answer fails nothing, though graded cells are gone and a cell exits"""
    answered(notebook, RIGHT.read_text())
    kept = [
        c for c in notebook["cells"] if not "".join(c["source"]).startswith("grade(")
    ]
    exits = {"cell_type": "code", "source": "import os; os._exit(1)", "metadata": {}}
    assert validated(tmp_path, {**notebook, "cells": [exits, *kept]}) == {}


def test_wrong(tmp_path: Path, notebook: dict[str, Any]) -> None:
    """a wrong one fails with the report of each claim, whatever the file is called"""
    found = validated(tmp_path, notebook, "homework (1)")["failed"]
    assert [each["source"] for each in found] == [
        'grade("counts_on")',
        'grade("never_twice")',
    ]
    assert "number 1 was handed out twice" in found[0]["raw_error"]
    assert "(0/6)" in found[0]["error"]


def test_unreadable(tmp_path: Path, notebook: dict[str, Any]) -> None:
    """what autograde would leave to a person is said beforehand, with the way out"""
    (cell,) = [c for c in notebook["cells"] if c["id"] == "submission"]
    notebook["cells"].append({**cell, "source": "%%submission\nanother = 1\n"})
    (found,) = validated(tmp_path, notebook)["failed"]
    assert "found 2 that differ" in found["raw_error"]
    assert "delete all of them but the one you mean" in found["raw_error"]
    (found,) = validated(tmp_path, [])["failed"]
    assert "expected a notebook" in found["raw_error"]
