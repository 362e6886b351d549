"""The environment that `drift` makes has what the facts import."""

from __future__ import annotations

import ast
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from grader.drift import COMPANIONS, TOOLS

HERE = Path(__file__).parent
OWN = {"grader", "tests"}
# They prove no fact, and are not run there.
OTHERS = {"test_environment", "test_report", "test_sentences", "test_workflow"}
FILES = sorted(path for path in HERE.glob("*.py") if path.stem not in OTHERS)


@pytest.fixture(scope="module")
def installed() -> set[str]:
    """What is installed there: what is asked for, and what that requires."""
    found: set[str] = set()
    left = [canonicalize_name(name) for name in (*COMPANIONS, *TOOLS)]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            for text in metadata.requires(name) or ():
                required = Requirement(text)
                if not required.marker or required.marker.evaluate({"extra": ""}):
                    left.append(canonicalize_name(required.name))
    return found


def packages(path: Path) -> set[str]:
    """Return the packages that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found - OWN


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_imports(path: Path, installed: set[str]) -> None:
    """each package that a file of facts imports is there, or is Python's own"""
    owners = metadata.packages_distributions()
    for package in packages(path) & {*owners}:
        assert installed & {*map(canonicalize_name, owners[package])}, package


def test_what_is_not_asked_for_is_not_there(installed: set[str]) -> None:
    """of this project's own dependencies some are left out"""
    assert {"fastapi", "langgraph", "anyio"} <= installed
    assert not installed & {"jupyterlab", "nbgrader", "distributed"}
