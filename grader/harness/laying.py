"""Lays a submission's modules out as files, where its processes import them."""

from __future__ import annotations

from pathlib import Path

from grader.harness.process import SubmissionBroken
from grader.vocabulary import Observation
from grader.vocabulary.modules import Indivisible, divide

MODULES = "modules"  # the error of a text that cannot be divided


def lay_out(text: str, folder: Path) -> None:
    """Write each module of a submission's text into a folder.

    Raises:
        SubmissionBroken: the lines that name its modules cannot be followed.
    """
    try:
        modules = divide(text)
    except Indivisible as why:
        data = {"error": MODULES, "message": str(why), "line": why.line}
        seen = Observation(1, "broken", None, 0.0, {**data, "help": why.help})
        raise SubmissionBroken(seen) from None
    for module in modules:
        path = folder / module.file
        path.write_text(module.text, "utf-8", "surrogatepass")
