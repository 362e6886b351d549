"""A submission's text is divided into modules, or it is said why it cannot be."""

from __future__ import annotations

import contextlib
import time

import pytest

from grader.vocabulary.modules import ENTRY, WHOLE, Indivisible, divide

TWO = '''"""Two modules."""

# === module: store.py ===
KEPT = []


# === module: app.py ===
from store import KEPT
'''
APP = "# === module: app.py ===\n"


def test_a_text_without_module_lines_is_one_module() -> None:
    """a text without such a line is the module `submission`, byte for byte"""
    text = "\n# module store.py\n# %% module: a.py\nx = 1\r\n"
    (only,) = divide(text)
    assert (only.name, only.text) == (WHOLE, text)


@pytest.mark.parametrize(
    "line",
    [
        "# === Module-level clients ===",
        "# == Module state: none ==",
        "# = module of it",
    ],
)
def test_a_heading_is_no_module_line(line: str) -> None:
    """a comment of several words without a file begins no module"""
    assert [module.name for module in divide(f"import os\n{line}\n")] == [WHOLE]


def test_the_first_is_the_one_to_import() -> None:
    """`app.py` comes first, wherever it stands, and then the others in order"""
    assert [module.file for module in divide(TWO)] == ["app.py", "store.py"]
    assert divide(TWO)[0].name == ENTRY


def test_a_line_keeps_its_number() -> None:
    """each line of a module has the number that it has in the submission"""
    lines = TWO.splitlines()
    for module in divide(TWO):
        for number, line in enumerate(module.text.splitlines(), start=1):
            assert line in ("", lines[number - 1])
    assert divide(TWO)[0].text.splitlines()[7] == "from store import KEPT"


def test_lines_may_end_as_on_any_system() -> None:
    """line ends of Windows and of old Macs divide a text as well"""
    for end in ("\r\n", "\r"):
        assert divide(TWO.replace("\n", end)) == divide(TWO)


@pytest.mark.parametrize(
    "line",
    ["#=module:store.py", "# == Module store.py", "# ===== MODULE:  store.py"],
)
def test_a_module_line_is_read_kindly(line: str) -> None:
    """signs and spaces may be fewer or more, and letters large"""
    assert [module.name for module in divide(f"{APP}{line}\n")] == ["app", "store"]


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        (f"{APP}# === module: ===\n", "expected a module line such as", 2),
        (f"{APP}# === module: Store.py ===\n", "found '# === module: Store.py", 2),
        (f"{APP}# === module: store ===\n", "found '# === module: store ===", 2),
        (f"{APP}# === module: a/b.py ===\n", "found '# === module: a/b.py", 2),
        (f"{APP}# === module: ../b.py ===\n", "expected a module line such as", 2),
        (f"{APP}# === module: class.py ===\n", "expected a module line such as", 2),
        (f"{APP}x = 1\n{APP}", "expected one module app.py, found its line", 3),
        (f"{APP}# === module: json.py ===\n", "`import json` is another module", 2),
        (f"{APP}# === module: httpx.py ===\n", "`import httpx` is another module", 2),
        (f"{APP}# === module: grader.py ===\n", "`import grader` is another", 2),
        (f"\nx = 1\n{APP}", "above all code, found 'x = 1'", 2),
        (f'"""One."""\nx = (\n{APP})\n', "above all code", 1),
        ("# === module: store.py ===\n", "expected a module app.py", 1),
        (
            APP + "".join(f"# === module: m{n}.py ===\n" for n in range(30)),
            "expected at most 20 modules",
            21,
        ),
    ],
)
def test_what_cannot_be_divided_is_said(text: str, says: str, line: int) -> None:
    """a bad, double, taken or missing name is an error with its line and a way out"""
    with pytest.raises(Indivisible, match=r"expected ") as raised:
        divide(text)
    assert says in str(raised.value)
    assert (raised.value.line, bool(raised.value.help)) == (line, True)


def test_no_text_takes_long_to_divide() -> None:
    """a text of a mebibyte made to be slow takes a moment"""
    began = time.process_time()
    for piece in ("# =module", "#", "=", " ", "# == module x\n", "'''", "("):
        text = (piece * (2**20 // len(piece)))[: 2**20]
        with contextlib.suppress(Indivisible):
            divide(f"{text}\n{APP}")
    assert time.process_time() - began < 20
