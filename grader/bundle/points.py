"""Runs in a workflow on GitHub: judges the repository's notebooks, reports points.

GitHub Classroom reads the points from two notices of the run. Any other reader sees
the run's status, and its summary.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader import catalog
from grader.batch.graded import ERROR, Graded
from grader.batch.submitted import Submitted, digest
from grader.bundle.judging import AUTHOR, judge, missing, with_help
from grader.reports import to_text
from grader.reports.words import printable
from grader.submissions import BadInput, read
from grader.vocabulary import Status

PASSED, FAILED, BROKE = 0, 1, 3
ANY_TIER = 3  # the repository and the machine are the learner's own
MARKS = {Status.passed: "✓", Status.failed: "✗", Status.skipped: "–", Status.error: "?"}


def main(stems: Sequence[str], root: Path) -> int:
    """Judge the notebooks of these exercises, and return the exit status."""
    graded = judge([_found(root, stem) for stem in stems], ANY_TIER)
    # What a submission printed stands in its report; no line of it is a command.
    end = secrets.token_hex(16)
    print(f"::stop-commands::{end}")
    for each in graded:
        print(to_text(each.verdict) if each.verdict else f"{_name(each)}\n")
    print(f"::{end}::")
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write("\n".join(table(graded)) + "\n")
    unknown = [each.one.stem for each in graded if each.status == ERROR]
    if unknown:
        print(
            f"::error title=Not judged::the grader broke at {', '.join(unknown)}, "
            "so no points were reported; run this job again"
        )
        return BROKE
    print("\n".join(_notices(graded)))
    right = all(each.verdict is not None and each.verdict.passed for each in graded)
    return PASSED if right else FAILED


def _found(root: Path, stem: str) -> Submitted:
    path = root / "notebooks" / stem / f"{stem}.ipynb"
    try:
        text = read(path).text
    except BadInput as bad:
        return missing(stem, str(bad), bad.help)
    return with_help(Submitted(AUTHOR, stem, str(path), digest(text), text))


def _name(graded: Graded) -> str:
    return f"{graded.one.stem}: {printable(graded.reason)}"


def _notices(graded: Sequence[Graded]) -> Iterator[str]:
    score = sum(each.verdict.score for each in graded if each.verdict is not None)
    points = sum(catalog.load(each.one.stem).points for each in graded)
    report = json.dumps({"totalPoints": score, "maxPoints": points})
    yield f"::notice title=Autograding complete::Points {score:g}/{points:g}"
    yield f"::notice title=Autograding report::{report}"


def table(graded: Sequence[Graded]) -> Iterator[str]:
    """Yield the lines of the run's summary, in Markdown."""
    yield "| | claim | points |"
    yield "|---|---|---|"
    for each in graded:
        if each.verdict is None:
            reason = _cell(each.reason.partition("\n")[0])
            yield f"| ✗ | {each.one.stem}: {reason} | 0 |"
            continue
        for result in each.verdict.results:
            scored = f"{result.score:g} of {result.points:g}"
            known = result.status is not Status.error
            claim = f"{each.one.stem}: {_cell(result.claim)}"
            mark = MARKS[result.status]
            yield f"| {mark} | {claim} | {scored if known else 'not judged'} |"


def _cell(text: str) -> str:
    """Return a text that cannot leave its cell."""
    text = printable(text).replace("|", "\\|")
    return text.replace("&", "&amp;").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path.cwd()))
