"""The generated parts of README: each stands between two markers in a comment."""

from __future__ import annotations

import re
from pathlib import Path

from grader import catalog

README = "README.md"


def exercises(root: Path) -> str:
    """Return the table of the exercises that have a notebook, in Markdown."""
    lines = ["| exercise | what fails | claims |", "|---|---|---|"]
    for stem in catalog.stems():
        notebook = f"notebooks/{stem}/{stem}.ipynb"
        if (root / "solutions" / stem / f"{stem}.py").is_file():
            exercise = catalog.load(stem)
            link = f"[{stem}]({notebook})"
            lines.append(f"| {link} | {exercise.title} | {len(exercise.checks)} |")
    return "\n".join(lines)


def update(root: Path, part: str, text: str) -> bool:
    """Put `text` between the markers of a part; return whether README changed.

    Raises:
        ValueError: README does not have the two markers.
    """
    path = root / README
    before = path.read_text(encoding="utf-8")
    after = _replaced(before, part, text)
    if after != before:
        path.write_text(after, encoding="utf-8")
    return after != before


def is_current(root: Path, part: str, text: str) -> bool:
    """Whether README already says `text` in a part."""
    before = (root / README).read_text(encoding="utf-8")
    return before == _replaced(before, part, text)


def _replaced(document: str, part: str, text: str) -> str:
    start, end = f"<!-- {part} -->", f"<!-- /{part} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(document):
        raise ValueError(f"expected {start} … {end} in {README}, found no such part")
    return pattern.sub(lambda _: f"{start}\n{text}\n{end}", document)
