"""How far a learner has come: a map of the exercises, and the same as a table."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.visuals import style
from grader.visuals.labels import one_line
from grader.visuals.paint import to_svg
from grader.visuals.stations import Station, scene

FIGURE = Markup(
    '<figure style="margin:0.5em 0;max-width:100%;color:{ink};background:{paper}">'
    '<img role="img" src="data:image/svg+xml;base64,{source}" alt="{alt}" '
    'style="max-width:100%;width:{width}in">'
    '<figcaption style="color:{ink}">{caption}</figcaption>'
    "<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    "{notes}</figure>"
)
HEAD = Markup('<th scope="col" style="text-align:left">{title}</th>')
TITLES = ("exercise", "what fails", "how far you have come")
ROW = Markup(
    '<tr><th scope="row" style="text-align:left">{name}</th>'
    '<td style="text-align:left">{title}</td>'
    '<td style="text-align:left">{sign} {state}{here}</td></tr>'
)
NOTE = Markup('<p role="note">{text}</p>')
LINK = Markup('<a href="{link}">{title}</a>')
PROVED, BEGUN, OPEN, UNKNOWN = "✓", "◐", "○", "!"
COLORS = {PROVED: style.PASSED, BEGUN: style.INK, OPEN: style.GREY}
BROKEN_HELP = (
    "help: the file is kept as it is; repair it, or go on, and it is kept under "
    "another name"
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one exercise has come; `score` is None until it is checked."""

    title: str
    link: str = ""
    predicted: bool = False
    observed: bool = False
    score: float | None = None
    points: float = 10.0
    name: str = ""
    problem: str = ""  # why what was done is not known

    @property
    def state(self) -> str:
        """The state in words."""
        if self.problem:
            return "not known"
        if self.score is not None:
            unit = "point" if self.points == 1 else "points"
            return f"{_number(self.score)} of {_number(self.points)} {unit}"
        if self.observed:
            return "observed"
        return "predicted" if self.predicted else "not started"

    @property
    def sign(self) -> str:
        """The state as a sign, which always stands beside the words."""
        if self.problem:
            return UNKNOWN
        if self.proved:
            return PROVED
        begun = self.predicted or self.observed or self.score is not None
        return BEGUN if begun else OPEN

    @property
    def proved(self) -> bool:
        """Whether all its claims were proved."""
        return not self.problem and (self.score or 0.0) >= self.points


@dataclass(frozen=True, slots=True, repr=False)
class ProgressMap:
    """Displays itself as a map with a table when it is a cell's value."""

    rows: tuple[Progress, ...]
    absent: int = 0  # exercises of the course whose notebooks are not here

    @property
    def upcoming(self) -> Progress | None:
        """The first exercise that is not proved yet."""
        return next((row for row in self.rows if not row.proved), None)

    @property
    def caption(self) -> str:
        """How much is proved, and where to go next."""
        if not self.rows:
            return "No notebook of the course is here, so there is no map to draw."
        done = sum(row.proved for row in self.rows)
        said = f"You have proved {done} of {len(self.rows)} exercises."
        if self.upcoming is None:
            return f"{said} Next: write your certificate."
        name = f"{self.upcoming.name}, " if self.upcoming.name else ""
        return f"{said} Next: {name}{one_line(self.upcoming.title)}."

    @property
    def alt(self) -> str:
        """What the picture shows, in words."""
        stops = [f"{row.name or one_line(row.title)} {row.state}" for row in self.rows]
        return f"A path with a stop for each exercise: {'; '.join(stops)}."

    @property
    def svg(self) -> str:
        """The path as SVG."""
        stops = [
            Station(
                row.name or str(number),
                row.sign,
                row.state.removesuffix(" points").removesuffix(" point"),
                COLORS.get(row.sign, style.FAILED),
                row is self.upcoming,
            )
            for number, row in enumerate(self.rows)
        ]
        return to_svg(scene(stops), self.alt)

    @property
    def notes(self) -> tuple[str, ...]:
        """What else there is to say, sentence by sentence."""
        broken = [row.problem for row in self.rows if row.problem]
        notes = [*broken, *([BROKEN_HELP] if broken else [])]
        if self.rows and self.absent:
            more = "exercise has" if self.absent == 1 else "exercises have"
            notes.append(f"{self.absent} more {more} no notebook here.")
        return tuple(notes)

    def __repr__(self) -> str:
        titles = [
            " ".join(filter(None, (r.name, one_line(r.title)))) for r in self.rows
        ]
        width = max((len(title) for title in titles), default=0)
        lines = [
            f"  {r.sign} {t:<{width}}  {r.state}"
            for t, r in zip(titles, self.rows, strict=True)
        ]
        return "\n".join([self.caption, *lines, *self.notes])

    @property
    def html(self) -> str:
        """The map, its table and its notes as HTML."""
        notes = Markup("").join(NOTE.format(text=text) for text in self.notes)
        if not self.rows:
            return str(NOTE.format(text=self.caption) + notes)
        figure = FIGURE.format(
            ink=style.INK,
            paper=style.PAPER,
            source=base64.b64encode(self.svg.encode()).decode(),
            alt=self.alt,
            width=f"{style.WIDTH_IN:.2f}",
            caption=self.caption,
            head=Markup("").join(HEAD.format(title=title) for title in TITLES),
            rows=Markup("").join(self._row(row) for row in self.rows),
            notes=notes,
        )
        return str(figure)

    def _row(self, row: Progress) -> Markup:
        title = one_line(row.title)
        link = LINK.format(link=row.link, title=title) if row.link else title
        here = ", next" if row is self.upcoming else ""
        words = {"sign": row.sign, "state": row.state, "here": here}
        return ROW.format(name=row.name, title=link, **words)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": repr(self), "text/html": self.html}


def progress_map(rows: Sequence[Progress], absent: int = 0) -> ProgressMap:
    """Return a map of how far each exercise has come."""
    return ProgressMap(tuple(rows), absent)


def _number(value: float) -> str:
    return f"{round(value, 2):g}"
