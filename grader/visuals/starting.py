"""Who waited, who asked, and who answered, when replicas started at once."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.visuals import style
from grader.visuals.charges import FIGURE, HEAD
from grader.visuals.labels import one_line
from grader.vocabulary import Observation, Run

ERROR_LENGTH = 24
WAITS, ASKS, NOTHING = "waits", "asks again", ""
SMALL: dict[str, Any] = {"fontsize": style.SMALL_PT}
BEHIND = {"facecolor": style.PAPER, "edgecolor": "none", "pad": 1}  # words stay clear
CELL = Markup("<td>{text}</td>")
ROW = Markup('<tr><th scope="row">process {process}</th>{cells}</tr>')


@dataclass(frozen=True, slots=True)
class Lane:
    """One process: what it did at each table, and what became of it after how many."""

    process: int
    did: tuple[str, ...]
    outcome: str
    ok: bool
    after: int  # tables that were given back by then
    number: int  # of the observation that says so, 0 where there is none

    @property
    def words(self) -> str:
        """The outcome with its sign."""
        return f"{'✓' if self.ok else '✗'} {self.outcome}"


@dataclass(frozen=True, slots=True, repr=False)
class Starting:
    """How processes started at the same instant, behind a replica that was ahead."""

    tables: tuple[str, ...]
    lanes: tuple[Lane, ...]

    @property
    def caption(self) -> str:
        """The message of the picture."""
        if not self.lanes:
            return "No process was started."
        count, good = len(self.lanes), sum(lane.ok for lane in self.lanes)
        waited = max(
            (
                sum(lane.did[n] == WAITS for lane in self.lanes)
                for n in range(len(self.tables))
            ),
            default=0,
        )
        end = "all of them answered" if good == count else f"{good} answered"
        return f"{count} processes started at once: {waited} waited in one line, {end}."

    @property
    def alt(self) -> str:
        """What the picture shows, in one sentence."""
        did = {lane.process: [*lane.did, lane.outcome] for lane in self.lanes}
        each = "; ".join(
            f"process {process} {', '.join(filter(None, words))}"
            for process, words in did.items()
        )
        return f"One row for each process behind a replica that is ahead: {each}."

    @property
    def svg(self) -> str:
        """The picture as SVG."""
        return _svg(self)

    @property
    def html(self) -> str:
        """The picture, its caption and its table."""
        titles = ["process", *self.tables, "outcome"]
        figure = FIGURE.format(
            source=base64.b64encode(self.svg.encode()).decode(),
            alt=self.alt,
            width=f"{style.WIDTH_IN:.2f}",
            caption=self.caption,
            head=Markup("").join(HEAD.format(title=title) for title in titles),
            rows=Markup("").join(_row(lane) for lane in self.lanes),
        )
        return str(figure)

    @property
    def text(self) -> str:
        """The caption and the table as plain text."""
        return "\n".join([self.caption, *map(_line, self.lanes)])

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": self.text, "text/html": self.html}


def starting(run: Run) -> Starting:
    """Return how the processes of a run started, table by table."""
    released = [seen for seen in run.of("released") if _is_table(run, seen)]
    tables = tuple(str(seen.data["event"]) for seen in released)
    started = {seen.process for seen in run.of("start") if seen.process is not None}
    lanes = (_lane(run, process, released) for process in sorted(started))
    return Starting(tables, tuple(lanes))


def _is_table(run: Run, released: Observation) -> bool:
    events = {seen.data["event"] for seen in run.of("queue")}
    return released.data["event"] in events


def _lane(run: Run, process: int, released: list[Observation]) -> Lane:
    queue = {
        seen.data["event"]: WAITS if seen.data["how"] == "waits" else ASKS
        for seen in run.of("queue")
        if seen.process == process
    }
    did = tuple(queue.get(seen.data["event"], NOTHING) for seen in released)
    ends = [*_ends(run, process)]
    if not ends:
        return Lane(process, did, "no outcome", False, len(released), 0)
    end = ends[0]
    after = sum(seen.number < end.number for seen in released)
    ok = end.kind == "reply" and end.ok
    error = one_line(str(end.data.get("error")))[:ERROR_LENGTH]
    return Lane(process, did, "answers" if ok else error, ok, after, end.number)


def _ends(run: Run, process: int) -> Iterator[Observation]:
    for seen in run.observations:
        if seen.process == process and seen.kind in {"broken", "reply"}:
            yield seen


def _svg(shown: Starting) -> str:
    from matplotlib.figure import Figure

    from grader.visuals.paint import quiet_matplotlib

    with quiet_matplotlib():
        size = (style.WIDTH_IN, style.HEIGHT_IN)
        figure = Figure(figsize=size, facecolor=style.PAPER, layout="constrained")
        axes = figure.subplots()
        columns, count = len(shown.tables), len(shown.lanes)
        for n, table in enumerate(shown.tables):
            # The door: shut as long as another replica makes the table.
            axes.axvline(n + 1, color=style.INK, lw=2, ls=(0, (4, 2)))
            axes.text(n + 1, -1.05, table, ha="center", bbox=BEHIND, **SMALL)
        for row, lane in enumerate(shown.lanes):
            _draw(axes, row, lane)
        axes.set_yticks(
            range(count), [f"process {lane.process}" for lane in shown.lanes]
        )
        axes.set_ylim(max(count, 1) - 0.4, -1.4)
        axes.set_xlim(-0.05, columns + 1.1)
        axes.set_xticks([])
        axes.set_title(
            "each line is a table that a replica ahead is making, until it is lost",
            loc="left",
            fontsize=style.TEXT_PT,
        )
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.tick_params(labelsize=style.SMALL_PT, colors=style.INK)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    label = html.escape(shown.alt, quote=True)
    head, rest = text[text.index("<svg ") :].split(">", 1)
    return f'{head} role="img" aria-label="{label}">\n <title>{label}</title>{rest}'


def _draw(axes: Any, row: int, lane: Lane) -> None:
    color = style.PASSED if lane.ok else style.FAILED
    end = lane.after + 0.35
    axes.plot([0, end], [row, row], color=style.FAINT, lw=2, zorder=1)
    for n, did in enumerate(lane.did):
        if did:
            how: dict[str, Any] = {"color": style.SKIPPED, "lw": 8}
            if did == ASKS:
                how = {"color": style.SKIPPED, "lw": 3, "ls": ":"}
            axes.plot([n + 0.45, n + 0.95], [row, row], solid_capstyle="butt", **how)
            axes.text(n + 0.42, row, did, ha="right", va="center", fontsize=8.5)
    axes.plot([end], [row], "o" if lane.ok else "X", color=color, ms=9)
    axes.text(
        *(end + 0.06, row, lane.words),
        **{"color": color, "va": "center", "bbox": BEHIND, **SMALL},
    )


def _row(lane: Lane) -> Markup:
    where = f" (#{lane.number})" if lane.number else ""
    cells = [*(did or "–" for did in lane.did), f"{lane.words}{where}"]
    text = Markup("").join(CELL.format(text=cell) for cell in cells)
    return ROW.format(process=lane.process, cells=text)


def _line(lane: Lane) -> str:
    steps = ", ".join(did or "–" for did in lane.did)
    return f"process {lane.process}  {steps}: {lane.words}"
