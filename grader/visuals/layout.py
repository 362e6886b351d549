"""Where everything in a timeline stands, in inches; labels never overlap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from grader.visuals import style
from grader.visuals.story import Event, Story

Measure = Callable[[str, float], float]  # text, size in points -> width in inches
LEFT_IN, RIGHT_IN, TOP_IN, BOTTOM_IN = 0.98, 0.12, 0.1, 0.3
PAD_IN = 0.12
MARK_IN = 0.12  # from the middle of a mark to its word


@dataclass(frozen=True, slots=True)
class Density:
    """How much is written: characters a label may ask for, words beside marks."""

    width_in: float
    characters: int
    words: bool
    gap_in: float


# From airy to dense; the first that fits is taken.
DENSITIES = (
    Density(7.0, 200, True, 0.3),
    Density(7.0, 34, True, 0.24),
    Density(7.0, 22, True, 0.2),
    Density(7.0, 20, True, 0.12),
    Density(10.0, 28, True, 0.2),
    Density(10.0, 12, True, 0.16),
    Density(7.0, 14, False, 0.1),
    Density(14.0, 14, True, 0.16),
    Density(14.0, 6, False, 0.1),
    Density(14.0, 0, False, 0.08),
)
COMPACT = (
    Density(7.0, 0, False, 0.2),
    Density(7.0, 0, False, 0.12),
    Density(14.0, 0, False, 0.1),
)


@dataclass(slots=True)
class Places:
    """The horizontal place of every event, and how far each lane is taken."""

    x: dict[int, float] = field(default_factory=dict)
    taken: dict[tuple[str, object], float] = field(default_factory=dict)

    def free(self, lane: str, row: object) -> float:
        """Return from where a lane of a row is free."""
        return self.taken.get((lane, row), 0.0)

    def take(self, lane: str, row: object, until: float) -> None:
        """Note that a lane of a row is taken."""
        self.taken[lane, row] = max(until, self.free(lane, row))


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of all events, from the left edge of the drawing area."""

    x: dict[int, float]
    density: Density
    room_in: float  # the width of the drawing area


def lay_out(story: Story, measure: Measure, *, compact: bool = False) -> Layout:
    """Place all events in order, as airy as the width allows; compact has no words."""
    for density in COMPACT if compact else DENSITIES:
        places = _placed(story, density, measure)
        needed = max([*places.taken.values(), *places.x.values(), 0.0]) + PAD_IN
        room = density.width_in - LEFT_IN - RIGHT_IN
        if needed <= room:
            break
    stretch = max(1.0, room / needed) if places.x else 1.0
    # Stretched, gaps only grow: what did not overlap before does not now.
    x = {number: place * stretch for number, place in places.x.items()}
    return Layout(x, density, max(room, needed))


def fit(text: str, room_in: float, size_pt: float, measure: Measure) -> str:
    """Return as much of a text as its room holds, with "…" where it is cut."""
    if measure(text, size_pt) <= room_in:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle].rstrip() + "…", size_pt) <= room_in:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…" if low >= 2 else ""


def has_word(event: Event, density: Density) -> bool:
    """Return whether a mark's word is written: what matters always has one."""
    leads = event.leads and density.characters > 0
    return density.words or event.matters or leads


def _placed(story: Story, density: Density, measure: Measure) -> Places:
    places = Places()
    starts: dict[int, float] = {}
    last = -density.gap_in / 2
    for event in story.events:
        row = event.row
        at = max(last + density.gap_in, places.free("middle", row))
        if event.shape == "call":
            above = density.characters and measure(event.label, style.TEXT_PT)
            at = max(at, places.free("above", row), places.free("below", row))
            starts[event.number] = at
            places.take("above", row, at + _asked(event, above, density, measure))
            places.take("middle", row, at + PAD_IN)
        elif event.shape == "reply" and event.call in starts:
            below = density.characters and measure(event.label, style.TEXT_PT)
            needs = _asked(event, below, density, measure)
            places.take("below", row, starts[event.call] + needs)
            places.take("middle", row, at + PAD_IN)
            if not density.characters:
                number = measure(f"#{event.call} → #{event.number}", style.SMALL_PT)
                places.take("middle", row, at + MARK_IN + number + PAD_IN)
        elif event.shape == "line":
            # The line crosses every row, so it stands clear of all words.
            middles = [x for (lane, _), x in places.taken.items() if lane == "middle"]
            at = max(at, places.free("line", None), *middles)
            width = measure(event.label, style.SMALL_PT)
            places.take("line", None, at + width + PAD_IN)
        else:
            width = density.gap_in
            if has_word(event, density):
                width = MARK_IN + measure(event.label, style.SMALL_PT) + PAD_IN
            places.take("middle", row, at + width)
        places.x[event.number] = last = at
    return places


def _asked(event: Event, width: float, density: Density, measure: Measure) -> float:
    number = measure(f"#{event.number} ", style.TEXT_PT)
    most = measure("n" * density.characters, style.TEXT_PT)
    return number + min(width, most) + PAD_IN
