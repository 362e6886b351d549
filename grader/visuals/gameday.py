"""A day of faults, request by request: what was answered, what only the second time."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.visuals import style
from grader.vocabulary import Observation, Run

ANSWERED, RECOVERED, AGAIN, LOST = "answered", "recovered", "sent again", "lost"
# Sign, colour and marker of what became of a request.
SIGNS: Mapping[str, tuple[str, str, str]] = {
    ANSWERED: ("✓", style.PASSED, "o"),
    RECOVERED: ("✓", style.PASSED, "D"),
    AGAIN: ("–", style.SKIPPED, "_"),
    LOST: ("✗", style.FAILED, "X"),
}
TITLES = ("request", "server", "what became of it")
FIGURE = Markup(
    '<figure style="margin:0.5em 0;max-width:100%;color:#222222;background:#FFFFFF">'
    '<img role="img" src="data:image/svg+xml;base64,{source}" alt="{alt}" '
    'style="max-width:100%;width:{width}in">'
    '<figcaption style="color:#222222">{caption}</figcaption>'
    "<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></figure>"
)
HEAD = Markup('<th scope="col">{title}</th>')
ROW = Markup(
    '<tr><th scope="row">#{number}</th><td>{server}</td>'
    '<td style="text-align:left">{what}</td></tr>'
)


@dataclass(frozen=True, slots=True)
class Event:
    """A request, by the observation of its reply, or a fault, of which `fault` tells.

    `server` is -1 where a fault is everybody's.
    """

    number: int
    server: int
    became: str = ""
    why: str = ""
    fault: str = ""

    @property
    def what(self) -> str:
        """The event in words, with its sign."""
        if self.fault:
            return f"fault: {self.fault}"
        sign = SIGNS[self.became][0]
        return f"{sign} {self.became}{f': {self.why}' if self.why else ''}"


@dataclass(frozen=True, slots=True, repr=False)
class Day:
    """All requests and faults of a run, in the order in which they ended."""

    events: tuple[Event, ...]

    def count(self, became: str) -> int:
        """How many requests became this."""
        return sum(event.became == became for event in self.events)

    @property
    def faults(self) -> list[Event]:
        """The faults."""
        return [event for event in self.events if event.fault]

    @property
    def caption(self) -> str:
        """The message of the picture."""
        asked = sum(bool(event.became) for event in self.events)
        parts = [f"{self.count(ANSWERED)} answered at once"]
        parts += [f"{self.count(RECOVERED)} when sent again"]
        parts += [f"{self.count(LOST)} never"]
        faults = len(self.faults)
        return (
            f"{asked} requests and {faults} fault{'' if faults == 1 else 's'}: "
            f"{', '.join(parts)}."
        )

    @property
    def alt(self) -> str:
        """What the picture shows, in one sentence."""
        told = "; ".join(f"#{event.number} {event.fault}" for event in self.faults[:6])
        lost = [event for event in self.events if event.became == LOST]
        where = ", ".join(f"#{event.number}" for event in lost[:6])
        return (
            "Requests as marks in one row for each server, faults as lines across: "
            f"{told or 'no fault'}; {f'lost are {where}' if lost else 'none is lost'}."
        )

    @property
    def svg(self) -> str:
        """The picture as SVG."""
        return _svg(self)

    @property
    def html(self) -> str:
        """The picture, its caption and its table."""
        figure = FIGURE.format(
            source=base64.b64encode(self.svg.encode()).decode(),
            alt=self.alt,
            width=f"{style.WIDTH_IN:.2f}",
            caption=self.caption,
            head=Markup("").join(HEAD.format(title=title) for title in TITLES),
            rows=Markup("").join(
                ROW.format(number=e.number, server=_server(e), what=e.what)
                for e in self.events
            ),
        )
        return str(figure)

    @property
    def text(self) -> str:
        """The caption and the table as plain text."""
        lines = [f"#{e.number:<4} {_server(e):<9} {e.what}" for e in self.events]
        return "\n".join([self.caption, *lines])

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": self.text, "text/html": self.html}


def gameday(run: Run) -> Day:
    """Return what became of the requests of a run, between its faults."""
    return Day(tuple(sorted(_events(run), key=lambda event: event.number)))


def _events(run: Run) -> Iterator[Event]:
    sent = {seen.data["id"]: str(seen.data["args"]) for seen in run.of("call")}
    replies = [reply for reply in run.replies if reply.data["id"] in sent]
    for reply in replies:
        same = [r for r in replies if sent[r.data["id"]] == sent[reply.data["id"]]]
        became = RECOVERED if any(not r.ok for r in same) else ANSWERED
        if not reply.ok:
            became = AGAIN if any(r.ok for r in same) else LOST
        why = "" if reply.ok else _why(reply)
        yield Event(reply.number, reply.process or 0, became, why)
    for fault in run.of("fault"):
        where = -1 if fault.process is None else fault.process
        yield Event(fault.number, where, fault=str(fault.data["what"]))
    for answer in run.of("answer"):
        if answer.data["status"] != 200:
            yield Event(answer.number, -1, fault="the model fails")


def _why(reply: Observation) -> str:
    status = reply.data.get("status")
    return f"HTTP {status}" if status else str(reply.data.get("error"))


def _server(event: Event) -> str:
    return "all" if event.server < 0 else f"server {event.server}"


def _svg(day: Day) -> str:
    from matplotlib.figure import Figure

    from grader.visuals.paint import quiet_matplotlib

    with quiet_matplotlib():
        size = (style.WIDTH_IN, style.HEIGHT_IN + 0.6)
        figure = Figure(figsize=size, facecolor=style.PAPER, layout="constrained")
        axes = figure.subplots()
        servers = sorted({event.server for event in day.events if event.server >= 0})
        small: dict[str, Any] = {"fontsize": style.SMALL_PT}
        top = (max(servers) if servers else 0) + 0.7
        level = 0
        for place, event in enumerate(day.events):
            if event.fault:
                axes.axvline(place, color=style.FAILED, lw=1, ls=":")
                where = f"server {event.server} " if event.server >= 0 else ""
                at = top + 0.45 * (level % 3)
                paper = {"facecolor": style.PAPER, "edgecolor": "none", "pad": 1}
                words = f"✗ {where}{event.fault}"
                color = style.FAILED
                axes.text(
                    *(place, at, words), ha="center", color=color, bbox=paper, **small
                )
                level += 1
            else:
                _, color, marker = SIGNS[event.became]
                axes.plot([place], [event.server], marker, color=color, ms=8, mew=2)
        for became, (sign, color, _) in SIGNS.items():
            events = [(p, e) for p, e in enumerate(day.events) if e.became == became]
            for place, event in events[-1:] if became != ANSWERED else events[:1]:
                axes.annotate(
                    f"{sign} {became}",
                    (place, event.server),
                    xytext=(0, -15),
                    textcoords="offset points",
                    color=color,
                    ha="center",
                    **small,
                )
        axes.set_yticks(servers, [f"server {server}" for server in servers])
        axes.set_xticks([])
        axes.set_xlabel("requests, in the order in which they ended", **small)
        axes.set_ylim(-0.8, top + 1.5)
        axes.set_xlim(-1.5, len(day.events) + 0.5)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(labelsize=style.SMALL_PT, colors=style.INK, length=0)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    label = html.escape(day.alt, quote=True)
    head, rest = text[text.index("<svg ") :].split(">", 1)
    return f'{head} role="img" aria-label="{label}">\n <title>{label}</title>{rest}'
