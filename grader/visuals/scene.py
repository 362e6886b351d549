"""The scene of a timeline: its places turned into shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    lay_out,
)
from grader.visuals.shapes import Bar, Line, Mark, Scene, Text
from grader.visuals.story import Event, Story
from grader.vocabulary import Run

BAR_IN = 0.26
THIN_BAR_IN = 0.12
LABEL_IN = 0.25  # from the middle of a bar to the middle of its labels
STRIP_IN = 0.22  # above all rows, for what is released
COMPACT_ROWS = 8  # with more rows, labels give way to thin bars
PITCH_IN, LARGEST_PITCH_IN, COMPACT_PITCH_IN = 0.86, 1.05, 0.24


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


def compose(run: Run, story: Story, measure: Measure) -> Scene:
    """Give every event of a story its place and its shapes."""
    count = max(len(story.rows), 1)
    compact = count > COMPACT_ROWS
    layout = lay_out(story, measure, compact=compact)
    lines = any(event.shape == "line" for event in story.events)
    edges = TOP_IN + BOTTOM_IN + (STRIP_IN if lines else 0.0)
    pitch = COMPACT_PITCH_IN
    if not compact:
        roomy = (style.HEIGHT_IN - edges) / count
        pitch = min(max(roomy, PITCH_IN), LARGEST_PITCH_IN)
    height = edges + count * pitch
    first = BOTTOM_IN + (count - 0.5) * pitch
    y = {row: first - n * pitch for n, row in enumerate(story.rows)}
    stage = Stage(run, story, layout, measure, height, y)
    calls = _calls(stage)
    marks = _marks(stage, [shape for shape in calls if isinstance(shape, Bar)])
    shapes = [*_rows(stage), *_lives(stage), *calls, *marks]
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
        killed = seen.kind == "fault" and seen.data.get("what") == "killed"
        if seen.kind == "start":
            born[name] = x
        elif (killed or seen.kind == "exit") and name in born:
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
    killed_at = _killed_at(stage, call, reply)
    end = killed_at or (stage.x(reply.number) if reply else stage.right)
    strong = call.strong or (reply is not None and reply.strong)
    ok = reply is not None and reply.ok
    color = (style.PASSED if ok else style.FAILED) if strong else style.GREY
    ink = style.INK if strong else style.GREY
    height = THIN_BAR_IN if stage.compact else BAR_IN
    shapes: list[Text | Bar | Mark] = [Bar(x, y, end - x, height, color)]
    if reply and not ok and not killed_at:
        shapes.append(Mark(end, y, "killed", color))
    if stage.compact:
        words = f"#{call.number} → " + (f"#{reply.number}" if reply else "no reply")
        # Where it was noticed, clear of the words of the fault that ended it.
        place = (stage.x(reply.number) if reply else end) + MARK_IN
        text = Text(place, y, words, ink, style.SMALL_PT, on_paper=True)
        return [*shapes, text]
    above = _fitted(stage, call, edge - x)
    shapes.append(Text(x, y + LABEL_IN, above, ink, on_paper=True))
    below = "no reply seen"
    if reply:
        below = _fitted(stage, reply, edge - x)
    fits = stage.measure(below, style.TEXT_PT) <= end - x
    place, align = (end, "right") if fits else (x, "left")
    text = Text(place, y - LABEL_IN, below, ink, align=align, on_paper=True)
    return [*shapes, text]


def _killed_at(stage: Stage, call: Event, reply: Event | None) -> float | None:
    """Return where a call was cut short: at the fault, not when that was noticed."""
    if reply is None or reply.ok:
        return None
    kills = [
        stage.x(event.number)
        for event in stage.story.events
        if event.shape == "killed"
        and event.row[0] == call.row[0]
        and call.number < event.number < reply.number
    ]
    return kills[0] if kills else None


def _fitted(stage: Stage, event: Event, room: float) -> str:
    number = f"#{event.number} "
    left = room - stage.measure(number, style.TEXT_PT)
    fits = stage.measure(event.label, style.TEXT_PT) <= left
    label = event.label if fits else event.short or event.label
    return (number + fit(label, left, style.TEXT_PT, stage.measure)).rstrip()


def _marks(stage: Stage, bars: Sequence[Bar]) -> list[Text | Mark | Line]:
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
        if has_word(event, stage.layout.density):
            free = not any(bar.x < x < bar.x + bar.width and bar.y == y for bar in bars)
            words = Text(x + MARK_IN, y, event.label, ink, style.SMALL_PT)
            shapes.append(replace(words, on_paper=free))
    return shapes


def _released(stage: Stage, event: Event, x: float, ink: str) -> list[Text | Line]:
    top = stage.height - TOP_IN
    width = stage.measure(event.label, style.SMALL_PT)
    place = min(x + 0.05, stage.right - width)
    return [
        Line(x, BOTTOM_IN, x, top, ink, dashed=True),
        Text(max(place, 0.05), top - 0.06, event.label, ink, style.SMALL_PT),
    ]
