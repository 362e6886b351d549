"""What became of many tickets, sorted in two ways: by process, and by kind."""

from __future__ import annotations

import base64
import html
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.visuals import style
from grader.visuals.charges import FIGURE, HEAD
from grader.visuals.labels import one_line
from grader.vocabulary import Observation, Run

SORTS = "sort"  # the event of the request that says of which kind a ticket is
NO_KIND = "no kind"
LABEL_LENGTH = 24
# Word, sign, colour and marker of what became of a ticket.
WHOLE, LOST, NOTHING, RAISED = "whole", "lost a note", "not worked on", "raised"
SIGNS: Mapping[str, tuple[str, str, str]] = {
    WHOLE: ("●", style.PASSED, "o"),
    LOST: ("▼", style.FAILED, "v"),
    NOTHING: ("–", style.SKIPPED, "_"),
    RAISED: ("✖", style.ERROR, "X"),
}
CELL = Markup("<td>{text}</td>")
ROW = Markup('<tr><th scope="row" style="text-align:left">{name}</th>{cells}</tr>')


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket: who worked on it, of which kind it is, what became of it."""

    process: int
    kind: str
    outcome: str


@dataclass(frozen=True, slots=True, repr=False)
class Tickets:
    """All tickets of a run, in the order in which they came."""

    tickets: tuple[Ticket, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds, the most frequent first."""
        return tuple(kind for kind, _ in Counter(self._by("kind")).most_common())

    @property
    def processes(self) -> tuple[int, ...]:
        """The processes that worked on them."""
        return tuple(sorted({ticket.process for ticket in self.tickets}))

    @property
    def caption(self) -> str:
        """The message of the picture."""
        count, counted = len(self.tickets), Counter(self._by("outcome"))
        if not count:
            return "No ticket came in."
        if counted[WHOLE] == count:
            return f"All {count} tickets came back whole, of every kind."
        found = ", ".join(f"{n} {word}" for word, n in counted.most_common())
        pairs = {(ticket.kind, ticket.outcome) for ticket in self.tickets}
        if len(pairs) == len(self.kinds):
            return (
                f"{count} tickets: {found}. A process's row is mixed, and a kind's row "
                "is not: what goes wrong depends on the kind alone."
            )
        return f"{count} tickets: {found}."

    @property
    def alt(self) -> str:
        """What the picture shows, in one sentence."""
        rows = [(f"process {n}", self.of(process=n)) for n in self.processes]
        rows += [(kind, self.of(kind=kind)) for kind in self.kinds]
        said = "; ".join(f"{name}: {_counts(found)}" for name, found in rows)
        return f"A mark for each ticket, in a row for each process and kind: {said}."

    @property
    def svg(self) -> str:
        """The picture as SVG."""
        return _svg(self)

    @property
    def html(self) -> str:
        """The picture, its caption and its table."""
        titles = ["kind", *(f"process {n}" for n in self.processes)]
        figure = FIGURE.format(
            source=base64.b64encode(self.svg.encode()).decode(),
            alt=self.alt,
            width=f"{style.WIDTH_IN:.2f}",
            caption=self.caption,
            head=Markup("").join(HEAD.format(title=title) for title in titles),
            rows=Markup("").join(
                ROW.format(
                    name=kind,
                    cells=Markup("").join(CELL.format(text=t) for t in self._row(kind)),
                )
                for kind in self.kinds
            ),
        )
        return str(figure)

    @property
    def text(self) -> str:
        """The caption and the table as plain text."""
        lines = [
            f"{kind}: "
            + "; ".join(
                f"process {n}: {said}"
                for n, said in zip(self.processes, self._row(kind), strict=True)
            )
            for kind in self.kinds
        ]
        return "\n".join([self.caption, *lines])

    def of(self, **wanted: Any) -> list[Ticket]:
        """Return the tickets with these values, such as `process=1`."""
        return [
            ticket
            for ticket in self.tickets
            if all(getattr(ticket, name) == value for name, value in wanted.items())
        ]

    def _by(self, name: str) -> list[Any]:
        return [getattr(ticket, name) for ticket in self.tickets]

    def _row(self, kind: str) -> list[str]:
        return [_counts(self.of(kind=kind, process=n)) for n in self.processes]

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": self.text, "text/html": self.html}


def tickets(run: Run) -> Tickets:
    """Return what became of each ticket: a call with one dictionary that has a text."""
    return Tickets(tuple(_tickets(run)))


def _tickets(run: Run) -> Iterator[Ticket]:
    for call in run.of("call"):
        args = call.data["args"]
        text = args[0].get("text") if args and isinstance(args[0], dict) else None
        replies = [r for r in run.replies if r.data["id"] == call.data["id"]]
        if text and replies:
            said = run.answers(about=text)
            yield Ticket(call.process or 0, _kind(said), _outcome(replies[0], said))


def _kind(answers: Sequence[Observation]) -> str:
    """Return the kind and priority that the model said, or that it said none."""
    for answer in answers:
        if answer.data["event"] == SORTS:
            try:
                found = json.loads(answer.text)
                words = f"{found['kind']}, {found['priority']}"
            except (ValueError, LookupError, TypeError):
                return NO_KIND
            return one_line(words)[:LABEL_LENGTH]
    return NO_KIND


def _outcome(reply: Observation, answers: Sequence[Observation]) -> str:
    if not reply.ok:
        return RAISED
    notes = [answer.text for answer in answers if answer.data["event"] != SORTS]
    if not notes:
        return NOTHING
    found = reply.value.get("notes") if isinstance(reply.value, dict) else None
    kept = found if isinstance(found, list) else []
    return WHOLE if all(note in kept for note in notes) else LOST


def _counts(found: Sequence[Ticket]) -> str:
    counted = Counter(ticket.outcome for ticket in found)
    said = [f"{n} {word}" for word, n in counted.most_common()]
    return ", ".join(said) or "none"


def _svg(shown: Tickets) -> str:
    from matplotlib.figure import Figure

    from grader.visuals.paint import quiet_matplotlib

    rows = [(f"process {n}", shown.of(process=n)) for n in shown.processes]
    kinds = [(kind, shown.of(kind=kind)) for kind in shown.kinds]
    with quiet_matplotlib():
        heights = [max(len(rows), 1), max(len(kinds), 1)]
        size = (style.WIDTH_IN, 0.32 * sum(heights) + 1.4)
        figure = Figure(figsize=size, facecolor=style.PAPER, layout="constrained")
        panels = figure.subplots(2, height_ratios=heights)
        _panel(panels[0], "the tickets by process, as they came", rows)
        _panel(panels[1], "the same tickets by kind", kinds)
        used = [word for word in SIGNS if any(t.outcome == word for t in shown.tickets)]
        for place, word in enumerate(used):
            sign, color, _ = SIGNS[word]
            at = {"transform": panels[1].transAxes, "fontsize": style.SMALL_PT}
            panels[1].text(
                place / 4, -0.12, f"{sign} {word}", color=color, va="top", **at
            )
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    label = html.escape(shown.alt, quote=True)
    head, rest = text[text.index("<svg ") :].split(">", 1)
    return f'{head} role="img" aria-label="{label}">\n <title>{label}</title>{rest}'


def _panel(axes: Any, title: str, rows: Sequence[tuple[str, Sequence[Ticket]]]) -> None:
    for row, (_, found) in enumerate(rows):
        for place, ticket in enumerate(found):
            _, color, marker = SIGNS[ticket.outcome]
            axes.plot([place], [row], marker, color=color, ms=8, mew=2)
    axes.set_title(title, loc="left", fontsize=style.TEXT_PT)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(-1, max([20, *(len(found) for _, found in rows)]))
    axes.set_xticks([])
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
    axes.tick_params(labelsize=style.SMALL_PT, colors=style.INK, length=0)
