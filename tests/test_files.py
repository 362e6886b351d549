"""Files are small, say what they are for, and nothing in them sleeps."""

from __future__ import annotations

import ast
import re
import statistics
from pathlib import Path

import pytest

from tests.package import PACKAGE, ROOT, modules

LINES_LIMIT, MEDIAN_LIMIT = 250, 120
EXERCISE_LINES = range(60, 141)


def test_sizes() -> None:
    """no file has more than 250 lines, and half of them have about 100 or fewer"""
    counts = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules().values()
    }
    assert {path: n for path, n in counts.items() if n > LINES_LIMIT} == {}
    assert statistics.median(n for n in counts.values() if n > 1) <= MEDIAN_LIMIT


def test_sizes_of_tests() -> None:
    """no file of tests has more than 250 lines"""
    counts = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "tests").rglob("*.py")
    }
    assert {path: n for path, n in counts.items() if n > LINES_LIMIT} == {}


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "exercises").glob("ex*.py")), ids=lambda path: path.stem
)
def test_an_exercise_is_short(path: Path) -> None:
    """an exercise has 60 to 140 lines: what several do is a word of the vocabulary"""
    assert len(path.read_text(encoding="utf-8").splitlines()) in EXERCISE_LINES


def test_names() -> None:
    """no file is named for being useful only"""
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    python = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert [path for path in python if path.stem in vague] == []


@pytest.mark.parametrize("module", modules())
def test_opens_with_a_sentence(module: str) -> None:
    """each module opens with one sentence that says what it is for"""
    path = modules()[module]
    text = path.read_text(encoding="utf-8")
    if not text.strip():
        assert path.name == "__init__.py"
        return
    opening = ast.get_docstring(ast.parse(text)) or ""
    assert re.match(r"[A-Z`]\S* .+[.:;]", opening.partition("\n\n")[0], re.DOTALL)


def test_nothing_sleeps() -> None:
    """neither the grader nor its tests wait for a clock: they wait for an event"""
    sleeps = re.compile(r"\b(?:time\.|asyncio\.|anyio\.|trio\.)sleep\((?!0\))")
    sleeping = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in (PACKAGE, ROOT / "tests")
        for path in folder.rglob("*.py")
        if "submissions" not in path.parts and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if sleeps.search(line) and not line.lstrip().startswith(("#", '"'))
    ]
    assert sleeping == []


def test_every_test_states_its_claim() -> None:
    """the docstring of a test in these folders is the claim that it proves"""
    silent = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.FunctionDef)
                and node.name.startswith("test_")
                and not ast.get_docstring(node)
            ):
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert silent == []
