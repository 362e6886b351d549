"""The lines, bars, marks and texts of a timeline, ready to be painted."""

from __future__ import annotations

from dataclasses import dataclass

from grader.visuals import style
from grader.visuals.layout import (
    BOTTOM_IN,
    LEFT_IN,
    MARK_IN,
    PAD_IN,
    RIGHT_IN,
    TOP_IN,
    Layout,
    Measure,
    fit,
    has_word,
    mark_word,
)
from grader.visuals.story import Event, Story
from grader.vocabulary import Run

BAR_IN = 0.26
LABEL_IN = 0.25  # from the middle of a bar to the middle of its labels
COMPACT_ROWS = 8  # with more rows, labels give way to thin bars
PITCH_IN = {False: 0.86, True: 0.24}


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `align` is left, right or center."""

    x: float
    y: float
    text: str
    color: str
    size_pt: float = style.TEXT_PT
    bold: bool = False
    align: str = "left"


@dataclass(frozen=True, slots=True)
class Bar:
    """A call, from where it was made to where it came back."""

    x: float
    y: float
    width: float
    height: float
    color: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A shape that stands for one event."""

    x: float
    y: float
    shape: str
    color: str


@dataclass(frozen=True, slots=True)
class Line:
    """A life line, or the moment at which something held is released."""

    x: float
    y: float
    to_x: float
    to_y: float
    color: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """All shapes with their places in inches, from the lower left corner."""

    width: float
    height: float
    shapes: tuple[Text | Bar | Mark | Line, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """What every part of a scene needs to know."""

    run: Run
    story: Story
    layout: Layout
    measure: Measure
    height: float
    y: dict[tuple[str, int], float]

    @property
    def compact(self) -> bool:
        """Whether there are too many rows for labels."""
        return len(self.story.rows) > COMPACT_ROWS

    def x(self, number: int) -> float:
        """Return the place of an event from the left edge of the picture."""
        return LEFT_IN + self.layout.x[number]

    @property
    def right(self) -> float:
        """The right end of the drawing area."""
        return LEFT_IN + self.layout.room_in


def compose(run: Run, story: Story, layout: Layout, measure: Measure) -> Scene:
    """Turn places into shapes."""
    count = len(story.rows)
    compact = count > COMPACT_ROWS
    strip = 0.22 if any(event.shape == "line" for event in story.events) else 0.0
    pitch = PITCH_IN[compact]
    if not compact and count <= 2:
        pitch = min(
            1.05, (style.HEIGHT_IN - TOP_IN - BOTTOM_IN - strip) / max(count, 2)
        )
    height = TOP_IN + strip + max(count, 1) * pitch + BOTTOM_IN
    top = height - TOP_IN - strip
    y = {row: top - (n + 0.5) * pitch for n, row in enumerate(story.rows)}
    stage = Stage(run, story, layout, measure, height, y)
    shapes = [*_rows(stage), *_lives(stage), *_calls(stage), *_marks(stage)]
    width = LEFT_IN + layout.room_in + RIGHT_IN
    return Scene(width, height, (*shapes, *_foot(stage)))


def _rows(stage: Stage) -> list[Text]:
    strong = {event.row[0] for event in stage.story.events if event.strong}
    firsts = [row for row in stage.story.rows if row[1] == 0]
    return [
        Text(
            0.08,
            stage.y[row],
            row[0],
            style.INK if row[0] in strong else style.GREY,
            bold=row[0] in strong,
        )
        for row in firsts
    ]


def _foot(stage: Stage) -> list[Text]:
    words = "order of events, not time →"
    if stage.story.left_out:
        words = f"{stage.story.left_out} events are only in the table · {words}"
    if not stage.story.events:
        words = "nothing was observed"
    return [Text(stage.right, 0.12, words, style.GREY, style.SMALL_PT, align="right")]


def _lives(stage: Stage) -> list[Line]:
    """Draw a thin line for as long as a process lives."""
    lines, born = [], dict[str, float]()
    x = LEFT_IN
    for seen in stage.run.observations:
        x = stage.x(seen.number) if seen.number in stage.layout.x else x
        name = f"process {seen.process}"
        if seen.kind == "start":
            born[name] = x
        elif seen.kind == "exit" and name in born:
            until = stage.right if _is_last(stage, seen.number) else x
            lines.append(_life(stage, name, born.pop(name), until))
    return lines + [_life(stage, name, x, stage.right) for name, x in born.items()]


def _is_last(stage: Stage, number: int) -> bool:
    return all(event.number < number for event in stage.story.events)


def _life(stage: Stage, name: str, x: float, to_x: float) -> Line:
    y = stage.y[name, 0]
    return Line(x, y, to_x, y, style.FAINT)


def _calls(stage: Stage) -> list[Text | Bar | Mark]:
    shapes: list[Text | Bar | Mark] = []
    replies = {e.call: e for e in stage.story.events if e.shape == "reply"}
    calls = [e for e in stage.story.events if e.shape == "call"]
    for call in calls:
        later = [c for c in calls if c.row == call.row and c.number > call.number]
        edge = stage.x(later[0].number) - PAD_IN if later else stage.right
        shapes += _call(stage, call, replies.get(call.number), edge)
    return shapes


def _call(
    stage: Stage, call: Event, reply: Event | None, edge: float
) -> list[Text | Bar | Mark]:
    x, y = stage.x(call.number), stage.y[call.row]
    end = stage.x(reply.number) if reply else stage.right
    strong = call.strong or (reply is not None and reply.strong)
    ok = reply is not None and reply.ok
    color = (style.PASSED if ok else style.FAILED) if strong else style.GREY
    ink = style.INK if strong else style.GREY
    height = 0.12 if stage.compact else BAR_IN
    shapes: list[Text | Bar | Mark] = [Bar(x, y, end - x, height, color)]
    if reply and not ok:
        shapes.append(Mark(end, y, "killed", color))
    if stage.compact:
        if reply:
            words = f"#{reply.number}"
            shapes.append(Text(end + 0.06, y, words, ink, style.SMALL_PT))
        return shapes
    above = _fitted(stage, f"#{call.number} ", call.label, edge - x)
    shapes.append(Text(x, y + LABEL_IN, above, ink))
    if reply:
        below = _fitted(stage, f"#{reply.number} ", reply.label, edge - x)
        fits = stage.measure(below, style.TEXT_PT) <= end - x
        place, align = (end, "right") if fits else (x, "left")
        shapes.append(Text(place, y - LABEL_IN, below, ink, bold=False, align=align))
    return shapes


def _fitted(stage: Stage, number: str, label: str, room: float) -> str:
    left = room - stage.measure(number, style.TEXT_PT)
    return (number + fit(label, left, style.TEXT_PT, stage.measure)).rstrip()


def _marks(stage: Stage) -> list[Text | Mark | Line]:
    shapes: list[Text | Mark | Line] = []
    for event in stage.story.events:
        if event.shape in {"call", "reply"}:
            continue
        x = stage.x(event.number)
        ink = style.INK if event.strong else style.GREY
        if event.shape == "line":
            shapes += _released(stage, event, x, ink)
            continue
        y = stage.y[event.row]
        bad = event.shape in {"killed", "broken", "limit"} and event.strong
        shapes.append(Mark(x, y, event.shape, style.FAILED if bad else ink))
        if has_word(event, stage.layout.density) and not stage.compact:
            words = mark_word(event)
            shapes.append(Text(x + MARK_IN, y, words, ink, style.SMALL_PT))
    return shapes


def _released(stage: Stage, event: Event, x: float, ink: str) -> list[Text | Line]:
    top = stage.height - TOP_IN
    words = f"#{event.number} {event.label}"
    width = stage.measure(words, style.SMALL_PT)
    place = min(x + 0.05, stage.right - width)
    return [
        Line(x, BOTTOM_IN, x, top, ink, dashed=True),
        Text(max(place, 0.05), top - 0.06, words, ink, style.SMALL_PT),
    ]
