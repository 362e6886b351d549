"""A learner's progress as a table of exercises, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.visuals.labels import one_line

TABLE = Markup(
    '<table><caption style="text-align:left">Your progress</caption><thead><tr>'
    '<th scope="col" style="text-align:left">exercise</th>'
    '<th scope="col" style="text-align:left">state</th>'
    "</tr></thead><tbody>{rows}</tbody></table>"
)
ROW = Markup(
    '<tr><th scope="row" style="text-align:left">{title}</th>'
    '<td style="text-align:left">{state}</td></tr>'
)
LINK = Markup('<a href="{link}">{title}</a>')


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one exercise has come; `score` is None until it is checked."""

    title: str
    link: str = ""
    predicted: bool = False
    observed: bool = False
    score: float | None = None
    points: float = 10.0

    @property
    def state(self) -> str:
        """The state in words."""
        if self.score is not None:
            unit = "point" if self.points == 1 else "points"
            return f"{_number(self.score)} of {_number(self.points)} {unit}"
        if self.observed:
            return "observed"
        return "predicted" if self.predicted else "not started"


@dataclass(frozen=True, slots=True, repr=False)
class ProgressTable:
    """Displays itself as a table when it is a cell's value."""

    rows: tuple[Progress, ...]

    def __repr__(self) -> str:
        titles = [one_line(row.title) for row in self.rows]
        width = max((len(title) for title in titles), default=0)
        lines = [
            f"  {t:<{width}}  {r.state}" for t, r in zip(titles, self.rows, strict=True)
        ]
        return "\n".join(["Your progress", *lines])

    @property
    def html(self) -> str:
        """The table as HTML."""
        rows = Markup("").join(
            ROW.format(
                title=LINK.format(link=row.link, title=one_line(row.title))
                if row.link
                else one_line(row.title),
                state=row.state,
            )
            for row in self.rows
        )
        return str(TABLE.format(rows=rows))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": repr(self), "text/html": self.html}


def progress_table(rows: Sequence[Progress]) -> ProgressTable:
    """Return a table of how far each exercise has come."""
    return ProgressTable(tuple(rows))


def _number(value: float) -> str:
    return f"{round(value, 2):g}"
