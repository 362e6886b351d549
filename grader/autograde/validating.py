"""Makes nbgrader's Validate say what Autograde will: the same judgement of the text."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from nbgrader.validator import Validator

from grader import catalog
from grader.autograde.intake import bounded, content
from grader.autograde.judging import judge, why_unknown
from grader.reports import to_text
from grader.submissions import BadInput, from_notebook
from grader.vocabulary import Status

stock = Validator.validate
Found = dict[str, list[dict[str, str]]]


def validate(self: Any, filename: str) -> Found:
    """Return the claims of a notebook that do not hold, as Validator does.

    The notebook is not run: no score depends on what it says. One that is no exercise
    of this course is validated as nbgrader does it.
    """
    path = Path(filename)
    try:
        submission = from_notebook(content(path.resolve()))
        bounded(submission.text)
    except BadInput as bad:
        if path.stem not in catalog.stems():
            return stock(self, filename)  # type: ignore[no-any-return]
        return {"failed": [_failed("%%submission", f"{bad}\n  help: {bad.help}")]}
    stem = path.stem if path.stem in catalog.stems() else submission.stem
    if stem not in catalog.stems():
        return stock(self, filename)  # type: ignore[no-any-return]
    failed = []
    for name, judged in judge(stem, submission.text).items():
        if judged.result.status is not Status.passed:
            reason = why_unknown(judged, "", name)
            text = to_text(judged.report().verdict)
            failed.append(_failed(f'grade("{name}")', reason or text))
    return {"failed": failed} if failed else {}


def _failed(source: str, error: str) -> dict[str, str]:
    shown = f"<pre>{html.escape(error)}</pre>"
    return {"source": source, "error": shown, "raw_error": error}
