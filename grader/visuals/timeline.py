"""A run drawn as a timeline: processes as rows, events in order, evidence in ink."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from grader.visuals import wording
from grader.visuals.scene import compose
from grader.visuals.shapes import Scene
from grader.visuals.story import tell
from grader.visuals.style import WIDTH_IN
from grader.vocabulary import History, Run, Status, Verdict

# The picture keeps a readable size on a narrow screen, where it can be scrolled.
FIGURE = Markup(
    '<figure style="margin:0.5em 0;max-width:100%;color:#222222;background:#FFFFFF">'
    '<div style="overflow-x:auto"{focus}>'
    '<img role="img" src="data:image/svg+xml;base64,{source}" alt="{alt}" '
    'aria-label="{alt}" style="max-width:none;width:{width}in">'
    "</div>"
    '<figcaption style="color:#222222">{caption}</figcaption>'
    "<details><summary>The same as a table</summary>"
    "<table><thead><tr>"
    '<th scope="col">number</th><th scope="col">process</th>'
    '<th scope="col">what</th><th scope="col">detail</th>'
    "</tr></thead><tbody>{rows}</tbody></table></details></figure>"
)
ROW = Markup(
    '<tr><th scope="row">#{number}</th><td>{process}</td><td>{what}</td>'
    '<td style="text-align:left">{detail}</td></tr>'
)
STRONG_ROW = Markup(
    '<tr><th scope="row">#{number}</th><td>{process}</td><td>{what}</td>'
    '<td style="text-align:left"><strong>{detail}</strong></td></tr>'
)


@dataclass(frozen=True, slots=True, repr=False)
class Timeline:
    """A picture of a run, and the same in words."""

    svg: str
    alt: str
    caption: str
    rows: tuple[wording.Row, ...]
    evidence: frozenset[int]
    scene: Scene = field(compare=False)

    @property
    def png(self) -> bytes:
        """The picture as a PNG image."""
        from grader.visuals.paint import to_png

        return to_png(self.scene)

    @property
    def html(self) -> str:
        """The picture with its caption, alternative text and table."""
        figure = FIGURE.format(
            # As an image, the picture shares neither ids nor styles with the page.
            source=base64.b64encode(self.svg.encode()).decode(),
            alt=self.alt,
            # What can be scrolled by mouse can be reached by keyboard.
            focus=Markup(' tabindex="0"' if self.scene.width > WIDTH_IN else ""),
            width=f"{self.scene.width:.2f}",
            caption=self.caption,
            rows=Markup("").join(self._row(row) for row in self.rows),
        )
        return str(figure)

    @property
    def text(self) -> str:
        """The caption and the table as plain text."""
        return f"{self.caption}\n{wording.table_text(self.rows)}"

    def _row(self, row: wording.Row) -> Markup:
        template = STRONG_ROW if row.number in self.evidence else ROW
        return template.format(
            number=row.number, process=row.process, what=row.what, detail=row.detail
        )

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": self.text, "text/html": self.html}


def of_failures(verdict: Verdict, history: History | None) -> dict[str, str]:
    """Return the picture (SVG) of each scenario in which a check failed, by name.

    The evidence of its first failure is in full ink.
    """
    pictures: dict[str, str] = {}
    for result in verdict.results:
        new = result.scenario not in pictures
        if history is not None and result.status is Status.failed and new:
            run = history.runs[result.scenario]
            timeline = draw(run, result.numbers, message=result.rationale)
            pictures[result.scenario] = timeline.svg
    return pictures


def draw(run: Run, evidence: Collection[int] = (), *, message: str = "") -> Timeline:
    """Draw a run.

    Args:
        run: the history of one scenario.
        evidence: numbers of the observations to draw in full ink, the rest grey;
            empty draws everything in full ink.
        message: the caption's first sentence; the run's description by default.
    """
    # Late, because matplotlib takes half a second to import.
    from grader.visuals.paint import measured, quiet_matplotlib, to_svg

    numbers = {seen.number for seen in run.observations} & set(evidence)
    with quiet_matplotlib():
        measure = measured()
        scene = compose(run, tell(run, numbers), measure)
    alt = wording.alt(run, numbers)
    return Timeline(
        to_svg(scene, alt),
        alt,
        wording.caption(run, numbers, message),
        wording.rows(run),
        frozenset(numbers),
        scene,
    )
