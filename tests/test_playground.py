"""A submission's cell runs in the kernel as the modules that its processes see."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from grader import playground

TWO = """
# === module: cupboard.py ===
CUPS = []

def put(cup):
    CUPS.append(cup / 2)

# === module: app.py ===
import cupboard

def fill(cup):
    cupboard.put(cup)
    return len(cupboard.CUPS)
"""


@pytest.fixture
def shell() -> Iterator[Any]:
    """A kernel's shell, and no module of a submission left behind."""
    before = [*sys.meta_path], {*sys.modules}
    made = InteractiveShell()
    yield made
    sys.meta_path[:] = before[0]
    for name in {"app", "cupboard", "submission"} & {*sys.modules} - before[1]:
        del sys.modules[name]
    made.history_manager.end_session()


def test_names_of_the_entry_are_the_notebooks(shell: Any) -> None:
    """a cell of two modules can be called, and its modules can be imported"""
    playground.run(shell, TWO)
    assert shell.user_ns["fill"](4) == 1
    assert shell.run_cell("import cupboard; cupboard.CUPS").result == [2.0]


def test_a_cell_that_is_run_again_begins_anew(shell: Any) -> None:
    """no module of a cell that was run before is left"""
    playground.run(shell, TWO)
    shell.user_ns["fill"](4)
    playground.run(shell, TWO)
    assert shell.user_ns["fill"](4) == 1
    playground.run(shell, "\nx = 1\n")
    assert not {"app", "cupboard"} & {*sys.modules}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TWO + "fill('a')\n", ["File app.py:14", "File cupboard.py:6", "TypeError"]),
        ("\n# === module: app.py ===\nx = (\n", ["File app.py:3", "SyntaxError"]),
        ("\nx = (\n", ["<submission>:2", "SyntaxError"]),
        ("\n1 / 0\n", ["<submission>:2", "ZeroDivisionError"]),
        ("\n# === module: a.py ===\n", ["expected a module app.py", "<submission>:2"]),
    ],
)
def test_errors_show_the_learners_lines(
    shell: Any, text: str, says: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """what a cell raises is shown by file and line, without what imports it"""
    shell.run_line_magic("colors", "nocolor")
    playground.run(shell, text)
    shown = "".join(capsys.readouterr())
    assert [word for word in says if word not in shown] == []
    assert "importlib" not in shown
    assert "playground" not in shown
