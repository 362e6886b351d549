"""Processes import a submission of several modules, and reports name their lines."""

from __future__ import annotations

import pytest

from grader.reports import to_text
from grader.vocabulary import process
from tests.harness.small import Warm

CALL = process(0).calls("chat", "{thread}", "{word}")

GOOD = """
# === module: words.py ===
LAST = []

def twice(text):
    LAST.append(text)
    return text * len(LAST)

# === module: app.py ===
import words
from words import twice

def chat(thread_id, text):
    return twice(text) + f" {words.__name__} {words.__file__.rpartition('/')[2]}"
"""


def test_modules_import_each_other(warm: Warm) -> None:
    """a module of a submission is a module: one for its process, with a file"""
    run = warm.history(GOOD, CALL, CALL)
    word = run.drawn.word
    said = [reply.value for reply in run.replies]
    assert said == [f"{word} words words.py", f"{word * 2} words words.py"]


RAISES = """
# === module: words.py ===
def twice(text):
    return text + 1

# === module: app.py ===
from words import twice

def chat(thread_id, text):
    return twice(text)
"""


def test_an_error_names_the_file_and_the_cells_line(warm: Warm) -> None:
    """what a module raises is reported with its file, and the line in the cell"""
    (reply,) = warm.history(RAISES, CALL).replies
    assert (reply.data["file"], reply.data["line"]) == ("words.py", 4)
    assert "TypeError" in str(reply)
    assert str(reply).endswith("(words.py, line 4)")


@pytest.mark.parametrize(
    ("text", "says", "help"),
    [
        (
            "\n# === module: app.py ===\nimport words\n"
            "# === module: words.py ===\ndef twice(:\n",
            "raised SyntaxError in words.py, line 5: invalid syntax",
            "look at that line",
        ),
        (
            "\n# === module: app.py ===\nimport wrods\n# === module: words.py ===\n",
            "raised ModuleNotFoundError in app.py, line 3: No module named 'wrods'; "
            "the submission's own are app.py, words.py",
            "only what the course installs",
        ),
        (
            "\n# === module: app.py ===\nfrom words import x\ny = 1\n"
            "# === module: words.py ===\nfrom app import y\nx = y\n",
            "raised ImportError in words.py, line 6: cannot import name 'y' from "
            "partially initialized module 'app' (most likely due to a circular "
            "import) (app.py)",
            "two modules import each other",
        ),
        (
            "\n# === module: app.py ===\n# === module: app.py ===\n",
            "expected one module app.py, found its line a second time in line 3 of "
            "the submission",
            "put both parts below one line",
        ),
        (
            "\n# === module: words.py ===\n",
            "expected a module app.py among the submission's modules, found words.py "
            "in line 2 of the submission",
            "what the contract asks for",
        ),
        (
            "\n# === module: app.py ===\nfrom words import chat\n"
            "# === module: words.py ===\ndef chat(): return 1\n",
            "expected chat(thread_id, text), found chat()",
            "the contract is in the table",
        ),
    ],
)
def test_what_cannot_be_imported_is_said(
    warm: Warm, text: str, says: str, help: str
) -> None:
    """a slip in a module or its line is reported in a sentence, with a way out"""
    verdict = warm.verdict(text, CALL)
    assert verdict.score == 0
    assert not verdict.unknown
    report = " ".join(to_text(verdict).split())
    assert says in report
    assert help in report
    assert "/code" not in report
