"""A report that a notebook displays when it is a cell's value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.reports.html import to_html
from grader.reports.text import to_text
from grader.vocabulary import Verdict


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """A verdict with the pictures of its runs, by the name of the scenario."""

    verdict: Verdict
    timelines: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return to_text(self.verdict)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {
            "text/plain": to_text(self.verdict),
            "text/html": to_html(self.verdict, self.timelines),
        }
