"""How many: bars of coloured parts with their counts, and the same as a table."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.visuals import style

ROW_IN, EDGE_IN, BAR_IN = 0.52, 0.12, 0.22
NARROWEST_IN = 0.36  # of a part that has room for its mark and count
PER_CHARACTER_IN = 0.085
LABEL_LIMIT = 88
FIGURE = Markup(
    '<figure><img role="img" src="data:image/svg+xml;base64,{source}" alt="{alt}" '
    'style="max-width:100%;width:{width}in">'
    "<figcaption>{caption}</figcaption>"
    "<details><summary>The same as a table</summary>"
    '<table><thead><tr><th scope="col">{what}</th>{heads}</tr></thead>'
    "<tbody>{rows}</tbody></table></details></figure>"
)
HEAD = Markup('<th scope="col">{name}</th>')
ROW = Markup('<tr><th scope="row">{label}</th>{cells}</tr>')
CELL = Markup('<td class="number">{count}</td>')


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of what is counted: a word, a mark and a colour always go together."""

    name: str
    mark: str
    color: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A row for each label, with the counts of its parts."""

    what: str
    caption: str
    parts: tuple[Part, ...]
    rows: tuple[tuple[str, Mapping[str, int]], ...]

    @property
    def alt(self) -> str:
        """What the picture shows, in words."""
        rows = [
            f"{label}: "
            + ", ".join(f"{counts.get(p.name, 0)} {p.name}" for p in self._used)
            for label, counts in self.rows
        ]
        return f"Bars. {'. '.join(rows)}."

    @property
    def _used(self) -> tuple[Part, ...]:
        """The parts that are anywhere more than zero, or the first."""
        used = [p for p in self.parts if any(c.get(p.name) for _, c in self.rows)]
        return tuple(used) or self.parts[:1]

    @property
    def svg(self) -> str:
        """The picture as SVG."""
        return _svg(self.rows, self._used, self.alt)

    @property
    def html(self) -> str:
        """The picture with its caption, alternative text and table."""
        heads = Markup("").join(HEAD.format(name=part.name) for part in self._used)
        rows = Markup("").join(
            ROW.format(
                label=label,
                cells=Markup("").join(
                    CELL.format(count=counts.get(part.name, 0)) for part in self._used
                ),
            )
            for label, counts in self.rows
        )
        figure = FIGURE.format(
            source=base64.b64encode(self.svg.encode()).decode(),
            alt=self.alt,
            width=f"{style.WIDTH_IN:.2f}",
            caption=self.caption,
            what=self.what,
            heads=heads,
            rows=rows,
        )
        return str(figure)


def _svg(
    rows: Sequence[tuple[str, Mapping[str, int]]], parts: Sequence[Part], alt: str
) -> str:
    from matplotlib.figure import Figure

    from grader.visuals.paint import quiet_matplotlib

    height = len(rows) * ROW_IN + 2 * EDGE_IN
    largest = max((sum(counts.values()) for _, counts in rows), default=0) or 1
    inch = (style.WIDTH_IN - 2 * EDGE_IN) / largest
    with quiet_matplotlib():
        figure = Figure(figsize=(style.WIDTH_IN, height), facecolor=style.PAPER)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, style.WIDTH_IN)
        axes.set_ylim(height, 0)
        for number, (label, counts) in enumerate(rows):
            top = EDGE_IN + number * ROW_IN
            _text(axes, EDGE_IN, top + 0.11, _cut(label), style.INK)
            left = EDGE_IN
            for part in parts:
                count = counts.get(part.name, 0)
                if count:
                    _part(axes, left, top + 0.22, count * inch, part, count)
                left += count * inch
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    said = html.escape(alt, quote=True)
    head, rest = text[text.index("<svg ") :].split(">", 1)
    return f'{head} role="img" aria-label="{said}">\n <title>{said}</title>{rest}'


def _part(axes: Any, x: float, y: float, width: float, part: Part, count: int) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (x, y),
            width,
            BAR_IN,
            facecolor=style.TINTS.get(part.color, style.TINTS[style.GREY]),
            edgecolor=part.color,
            linewidth=1.5,
        )
    )
    said = [f"{part.mark} {count} {part.name}", f"{part.mark} {count}"]
    room = width - 0.1
    fits = [text for text in said if len(text) * PER_CHARACTER_IN <= room]
    if fits or width >= NARROWEST_IN:
        text = fits[0] if fits else said[-1]
        _text(axes, x + 0.06, y + BAR_IN / 2, text, style.INK)


def _text(axes: Any, x: float, y: float, text: str, color: str) -> None:
    axes.text(
        x,
        y,
        text,
        color=color,
        fontsize=style.SMALL_PT,
        verticalalignment="center_baseline",
        parse_math=False,
    )


def _cut(label: str) -> str:
    return label if len(label) <= LABEL_LIMIT else f"{label[: LABEL_LIMIT - 1]}…"
