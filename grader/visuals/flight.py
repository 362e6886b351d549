"""How many calls of an outside are in flight, event by event, beside the ideal."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.visuals import style
from grader.visuals.labels import one_line
from grader.vocabulary import Observation, Run

# By what a call enters and leaves, and at what event calls are held together.
OUTSIDES = {
    "upstream": ("fetch", "fetched", "profile"),
    "model": ("model", "answer", "model"),
}
TITLES = ("moment", "observation", "in flight", "ideal")
FIGURE = Markup(
    '<figure style="margin:0.5em 0;max-width:100%;color:#222222;background:#FFFFFF">'
    '<img role="img" src="data:image/svg+xml;base64,{source}" alt="{alt}" '
    'style="max-width:100%;width:{width}in">'
    '<figcaption style="color:#222222">{caption}</figcaption>'
    "<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></figure>"
)
HEAD = Markup('<th scope="col">{title}</th>')
ROW = Markup(
    '<tr><th scope="row" style="text-align:left">{moment}</th><td>#{number}</td>'
    "<td>{inside}</td><td>{ideal}</td></tr>"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened after `place` calls had entered or left, so many in flight."""

    words: str
    number: int
    place: int
    inside: int
    ideal: int


@dataclass(frozen=True, slots=True, repr=False)
class Flight:
    """The calls in flight of a run, of the `outside`: "upstream" or "model".

    `inside` has the number in flight after each call that enters or leaves, `expected`
    is how many were made at once, `moments` are the rows of the table.
    """

    outside: str
    inside: tuple[int, ...]
    expected: int
    moments: tuple[Moment, ...]

    @property
    def most(self) -> int:
        """The largest number in flight at once."""
        return max(self.inside, default=0)

    @property
    def caption(self) -> str:
        """The message of the picture."""
        if not self.inside:
            return f"The {self.outside} was never called, so nothing was in flight."
        if self.most >= self.expected:
            return (
                f"All {self.expected} calls were in flight at once, so nobody waits "
                "for anybody else: as it should be."
            )
        return (
            f"At most {self.most} of {self.expected} calls {_were(self.most)} in "
            "flight at once. The dashed line is the ideal; what is below it are "
            "users who wait for other users' calls."
        )

    @property
    def alt(self) -> str:
        """What the picture shows, in one sentence."""
        if not self.inside:
            return f"An empty picture: the {self.outside} was never called."
        return (
            f"Calls in flight over events: your code climbs to {self.most}, the "
            f"dashed ideal climbs to {self.expected} and comes down again; "
            f"{'; '.join(f'{m.words} (#{m.number})' for m in self.moments)}."
        )

    @property
    def svg(self) -> str:
        """The picture as SVG."""
        return _svg(self)

    @property
    def html(self) -> str:
        """The picture, its caption and its table."""
        rows = Markup("").join(
            ROW.format(moment=m.words, number=m.number, inside=m.inside, ideal=m.ideal)
            for m in self.moments
        )
        figure = FIGURE.format(
            source=base64.b64encode(self.svg.encode()).decode(),
            alt=self.alt,
            width=f"{style.WIDTH_IN:.2f}",
            caption=self.caption,
            head=Markup("").join(HEAD.format(title=title) for title in TITLES),
            rows=rows,
        )
        return str(figure)

    @property
    def text(self) -> str:
        """The caption and the table as plain text."""
        lines = [
            f"#{m.number:<4} {m.words}: {m.inside} in flight, ideally {m.ideal}"
            for m in self.moments
        ]
        return "\n".join([self.caption, *lines])

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": self.text, "text/html": self.html}


def flight(run: Run) -> Flight:
    """Return how many calls of the upstream, or else of the model, were in flight.

    The ideal is that of the calls made together: all enter before the first leaves.
    """
    outside = "upstream" if run.of("fetch") else "model"
    enters, leaves, event = OUTSIDES[outside]
    moves = [seen for seen in run.observations if seen.kind in {enters, leaves}]
    inside: list[int] = []
    for seen in moves:
        before = inside[-1] if inside else 0
        inside.append(before + (1 if seen.kind == enters else -1))
    released = run.of("released", event)[:1]
    crowds = [seen.data["expected"] for seen in run.of("released", event)]
    expected = max(crowds, default=min(len(moves), 1))
    moments = _moments(run, outside, moves, inside, released)
    return Flight(outside, tuple(inside), expected, tuple(moments))


def _moments(
    run: Run,
    outside: str,
    moves: Sequence[Observation],
    inside: Sequence[int],
    released: Sequence[Observation],
) -> Iterator[Moment]:
    if not moves:
        return
    most = max(inside)
    expected = released[0].data["expected"] if released else 1
    seen = [
        ("the most are in flight", moves[inside.index(most)]),
        *((f"the {outside} answers{_why(s)}", s) for s in released),
        *((f"{_path(s)} is answered", s) for s in _beside(run)),
        ("the last call leaves", moves[-1]),
    ]
    for words, each in sorted(seen, key=lambda pair: pair[1].number):
        place = sum(move.number <= each.number for move in moves)
        after = inside[place - 1] if place else 0
        yield Moment(words, each.number, place, after, _ideal(place, expected))


def _beside(run: Run) -> list[Observation]:
    """Return the replies to calls that asked for no profile, where others did."""
    if not run.of("fetch"):
        return []
    users = {seen.data["user"] for seen in run.of("fetch")}
    return [s for s in run.replies if not any(user in _path(s) for user in users)]


def _path(reply: Observation) -> str:
    return one_line(str(reply.data["function"]).rpartition(" ")[2])


def _why(released: Observation) -> str:
    return f": {one_line(released.data['why'])}" if "why" in released.data else ""


def _ideal(place: int, expected: int) -> int:
    return max(0, min(place, 2 * expected - place))


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _top(shown: Flight) -> float:
    # Room for words above the lines.
    return 1.4 * max(shown.expected, shown.most, 1)


def _svg(shown: Flight) -> str:
    from matplotlib.figure import Figure

    from grader.visuals.paint import quiet_matplotlib

    with quiet_matplotlib():
        size = (style.WIDTH_IN, style.HEIGHT_IN)
        figure = Figure(figsize=size, facecolor=style.PAPER, layout="constrained")
        axes = figure.subplots()
        ideal = [_ideal(n, shown.expected) for n in range(2 * shown.expected + 1)]
        reached = shown.most >= shown.expected
        color = style.PASSED if reached else style.FAILED
        small: dict[str, Any] = {"fontsize": style.SMALL_PT, "color": style.INK}
        axes.plot(ideal, color=style.SKIPPED, lw=1.5, ls="--")
        axes.step([*range(len(shown.inside) + 1)], [0, *shown.inside], color=color)
        near: dict[str, Any] = {"textcoords": "offset points", **small}
        if not reached:
            top = (shown.expected, shown.expected)
            axes.annotate(f"ideal: {shown.expected}", top, (8, 0), **near)
        if shown.inside:
            place = shown.inside.index(shown.most) + 1
            words = f"{'✓' if reached else '✗'} yours: {shown.most}"
            # Where there is room: left of a climb, right of a line along the bottom.
            low = shown.most < shown.expected / 4
            side, offset = ("left", (30, 5)) if low else ("right", (-6, 2))
            axes.annotate(words, (place, shown.most), offset, ha=side, **near)
        for moment in shown.moments:
            if moment.words.startswith("/"):
                axes.axvline(moment.place, color=style.GREY, lw=1, ls=":")
                side = "right" if moment.place > shown.expected else "left"
                words = f" {moment.words} "
                axes.text(moment.place, _top(shown), words, va="top", ha=side, **small)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title("calls in flight", loc="left", fontsize=style.TEXT_PT)
        axes.set_xlabel("calls that enter or leave, in order, not time", **small)
        axes.tick_params(labelsize=style.SMALL_PT, colors=style.INK)
        axes.set_ylim(0, _top(shown))
        axes.set_xlim(left=0)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    label = html.escape(shown.alt, quote=True)
    head, rest = text[text.index("<svg ") :].split(">", 1)
    return f'{head} role="img" aria-label="{label}">\n <title>{label}</title>{rest}'
