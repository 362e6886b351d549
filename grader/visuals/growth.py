"""What a loop costs: calls of the model, their price, and what they leave on disk."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.visuals import style
from grader.vocabulary import Run

DEFAULT_LIMIT = 10_007  # LangGraph's own recursion limit
MEASURED = (1, 3, 10, 25, 50)  # rows of the table, and the last call
MB = 1_000_000
SIZE_IN = (style.WIDTH_IN, style.HEIGHT_IN)

FIGURE = Markup(
    '<figure style="margin:0.5em 0;max-width:100%;color:#222222;background:#FFFFFF">'
    '<img role="img" src="data:image/svg+xml;base64,{source}" alt="{alt}" '
    'style="max-width:100%;width:{width}in">'
    '<figcaption style="color:#222222">{caption}</figcaption>'
    "<table><thead><tr>"
    '<th scope="col">model calls</th><th scope="col">dollars</th>'
    '<th scope="col">checkpoints</th><th scope="col">how we know</th>'
    "</tr></thead><tbody>{rows}</tbody></table></figure>"
)
ROW = Markup(
    '<tr><th scope="row">{calls}</th><td>{cost}</td><td>{size}</td><td>{how}</td></tr>'
)


@dataclass(frozen=True, slots=True)
class Point:
    """The state after so many calls; `measured` tells it from what is computed."""

    calls: int
    cost: float
    size_b: float
    measured: bool


@dataclass(frozen=True, slots=True, repr=False)
class Growth:
    """The curves of a run, and the same as a table.

    `curve` has one point for each checkpoint, `table` the rows that are shown,
    `later` says at how many calls each later function of the submission was called.
    """

    curve: tuple[Point, ...]
    table: tuple[Point, ...]
    later: tuple[tuple[int, str], ...]
    price: float

    @property
    def caption(self) -> str:
        """The message of the picture."""
        if not self.curve:
            return "No checkpoint was stored, so there is no curve."
        last = self.curve[-1]
        calls = "1 call" if last.calls == 1 else f"{last.calls} calls"
        return (
            f"{calls} of the model cost {_money(last.cost)} dollars and left "
            f"{_size(last)} of checkpoints. At {_money(self.price)} a call the cost "
            "grows with each try by the same amount; the database grows by more with "
            "each, because every checkpoint holds all messages so far."
        )

    @property
    def alt(self) -> str:
        """What the picture shows, in one sentence."""
        if not self.curve:
            return "An empty picture: no checkpoint was stored."
        last = self.curve[-1]
        return (
            f"Two curves over {last.calls} model calls: the cost is a straight line up "
            f"to {_money(last.cost)} dollars, the stored bytes bend upwards to "
            f"{_size(last)}."
        )

    @property
    def svg(self) -> str:
        """The picture as SVG."""
        return _svg(self)

    @property
    def html(self) -> str:
        """The picture, its caption and its table."""
        rows = Markup("").join(ROW.format(**_words(point)) for point in self.table)
        figure = FIGURE.format(
            source=base64.b64encode(self.svg.encode()).decode(),
            alt=self.alt,
            width=f"{SIZE_IN[0]:.2f}",
            caption=self.caption,
            rows=rows,
        )
        return str(figure)

    @property
    def text(self) -> str:
        """The caption and the table as plain text."""
        lines = [
            f"{w['calls']:>8} calls  {w['cost']:>10} dollars  {w['size']:>10}  "
            f"{w['how']}"
            for w in map(_words, self.table)
        ]
        return "\n".join([self.caption, *lines])

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": self.text, "text/html": self.html}


def growth(run: Run, price: float = 0.01) -> Growth:
    """Return the curves of a run: all its model calls, and what its threads stored.

    Args:
        run: the history of one scenario.
        price: of one call of the model, in dollars.

    Raises:
        ValueError: the price is negative.
    """
    if price < 0:
        raise ValueError(f"expected a price of 0 or more, found {price!r}")
    calls = len(run.of("model"))
    looked = [seen for seen in run.stored if seen.data.get("sizes_b")]
    found = looked[-1].data["sizes_b"].values() if looked else ()
    sizes = [size for thread in found for size in thread]
    if not calls or not sizes:
        return Growth((), (), (), price)
    curve, total = [], 0.0
    for number, size in enumerate(sizes, start=1):
        total += size
        done = round(calls * number / len(sizes))
        curve.append(Point(done, done * price, total, measured=True))
    shown = [n for n in MEASURED if n < calls] + [calls]
    table = [next(p for p in curve if p.calls >= n) for n in shown]
    if calls >= MEASURED[-2]:  # a shorter run says nothing of a longer one
        table.append(_at_the_limit(curve, price))
    return Growth(tuple(curve), tuple(table), tuple(_later(run)), price)


def _later(run: Run) -> list[tuple[int, str]]:
    """Return each later call that led to calls of the model, and after how many."""
    asked = [seen.number for seen in run.of("model")]
    begun = [
        (sum(number < seen.number for number in asked), str(seen.data["function"]))
        for seen in run.of("call")[1:]
    ]
    return [(count, name) for count, name in begun if count < len(asked)]


def _at_the_limit(curve: Sequence[Point], price: float) -> Point:
    """Return what the default limit would allow: a*n + b*n*n through two points."""
    last = curve[-1]
    half = curve[len(curve) // 2]
    slope = (last.size_b / last.calls - half.size_b / half.calls) / max(
        last.calls - half.calls, 1
    )
    start = last.size_b / last.calls - slope * last.calls
    size_b = start * DEFAULT_LIMIT + slope * DEFAULT_LIMIT**2
    return Point(DEFAULT_LIMIT, DEFAULT_LIMIT * price, size_b, measured=False)


def _svg(shown: Growth) -> str:
    from matplotlib.figure import Figure

    from grader.visuals.paint import quiet_matplotlib

    with quiet_matplotlib():
        figure = Figure(figsize=SIZE_IN, facecolor=style.PAPER, layout="constrained")
        cost, size = figure.subplots(1, 2)
        calls = [point.calls for point in shown.curve]
        cost.plot(calls, [p.cost for p in shown.curve], color=style.PASSED, lw=2)
        cost.set_title(
            "cost of the calls, in dollars", loc="left", fontsize=style.TEXT_PT
        )
        stored = [p.size_b / MB for p in shown.curve]
        size.plot(calls, stored, color=style.FAILED, lw=2, ls="--")
        size.set_title("checkpoints, in MB", loc="left", fontsize=style.TEXT_PT)
        for axes in (cost, size):
            axes.spines[["top", "right"]].set_visible(False)
            axes.set_xlabel("calls of the model", fontsize=style.SMALL_PT)
            axes.tick_params(labelsize=style.SMALL_PT, colors=style.INK)
            axes.set_ylim(bottom=0)
            axes.set_xlim(left=0)
            for at, name in shown.later:
                axes.axvline(at, color=style.GREY, lw=1, ls=":")
                top = axes.get_ylim()[1] * 0.95
                axes.text(at, top, f" {name}", fontsize=style.SMALL_PT, va="top")
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    label = html.escape(shown.alt, quote=True)
    head, rest = text[text.index("<svg ") :].split(">", 1)
    return f'{head} role="img" aria-label="{label}">\n <title>{label}</title>{rest}'


def _words(point: Point) -> dict[str, str]:
    return {
        "calls": f"{point.calls:,}".replace(",", " "),
        "cost": _money(point.cost),
        "size": _size(point),
        "how": "measured" if point.measured else "computed from the curve",
    }


def _money(amount: float) -> str:
    # Without the sign, between two of which a notebook would typeset mathematics.
    return f"{amount:,.2f}" if amount >= 0.01 or amount == 0 else f"{amount:.4g}"


def _size(point: Point) -> str:
    units = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
    for unit, name in units:
        if point.size_b >= unit:
            return f"{point.size_b / unit:.1f} {name}"
    return f"{point.size_b:.0f} B"
