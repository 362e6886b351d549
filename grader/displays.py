"""Small things that a cell shows: a notice, several figures, one claim."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from IPython.display import display
from markupsafe import Markup, escape

from grader.reports import Report
from grader.vocabulary import Verdict

ERROR_MIME = "application/vnd.grader.verdict+json"
NOTICE = Markup('<div role="note"><p>{text}</p></div>')
BOTH = Markup(
    '<div role="note"><p>{text}</p><p><strong>help:</strong> {help}</p></div>'
)
CODE = re.compile("`([^`]+)`")


@dataclass(frozen=True)
class Notice:
    """A sentence, and perhaps the way out."""

    text: str
    help: str = ""

    def __str__(self) -> str:
        return f"{self.text}\n  help: {self.help}" if self.help else self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        form = BOTH if self.help else NOTICE
        return str(form.format(text=_marked(self.text), help=_marked(self.help)))


@dataclass(frozen=True)
class Several:
    """Figures one below the other."""

    items: Sequence[Any]
    below: str = ""

    def __repr__(self) -> str:
        return "\n\n".join([*(repr(item) for item in self.items), self.below])

    def _repr_html_(self) -> str:
        end = str(Markup("<p>{text}</p>").format(text=self.below))
        return "".join(item.html for item in self.items) + end


def _marked(text: str) -> Markup:
    """Return text as HTML, with what stands between backquotes as code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))


def put(item: Any, raw: bool = False) -> None:
    """Show something below the running cell, beside its value."""
    display(item, raw=raw)  # type: ignore[no-untyped-call]


def claim_report(verdict: Verdict, check: str) -> Report:
    """Return the report of one claim of a verdict."""
    return Report(replace(verdict, results=(verdict.result(check),)))
