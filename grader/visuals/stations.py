"""The scene of a learner's way: a path of stations, a few in each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from grader.visuals import style
from grader.visuals.shapes import Line, Scene, Text

IN_A_ROW = 6
ROW_IN, EDGE_IN = 0.95, 0.12
STEP_IN = (style.WIDTH_IN - 2 * EDGE_IN) / IN_A_ROW
SIGN_PT = 20.0
NAME_IN, STATE_IN = 0.3, 0.28  # from the middle of a sign to its name and its state


@dataclass(frozen=True, slots=True)
class Station:
    """One stop: a sign, its name above and its state below."""

    name: str
    sign: str
    state: str
    color: str
    upcoming: bool = False


def scene(stations: Sequence[Station]) -> Scene:
    """Return a path through all stations, the rows read alike from left to right."""
    rows = max(-(-len(stations) // IN_A_ROW), 1)
    height = rows * ROW_IN + 2 * EDGE_IN
    places = [_place(number, height) for number in range(len(stations))]
    shapes: list[Line | Text] = []
    for (x, y), (to_x, to_y) in pairwise(places):
        if y == to_y:
            shapes.append(Line(x + 0.3, y, to_x - 0.06, to_y, style.FAINT))
        else:  # on to the next row
            right = style.WIDTH_IN - EDGE_IN
            shapes.append(Line(x + 0.3, y, right, y, style.FAINT))
    for (x, y), stop in zip(places, stations, strict=True):
        name = f"{stop.name} ◀ next" if stop.upcoming else stop.name
        bold, small = stop.upcoming, style.SMALL_PT
        shapes += [
            Text(x, y + NAME_IN, name, style.INK, style.TEXT_PT, bold),
            Text(x, y, stop.sign, stop.color, SIGN_PT),
            Text(x, y - STATE_IN, stop.state, style.INK, small),
        ]
    return Scene(style.WIDTH_IN, height, tuple(shapes))


def _place(number: int, height: float) -> tuple[float, float]:
    row, column = divmod(number, IN_A_ROW)
    return EDGE_IN + column * STEP_IN, height - EDGE_IN - (row + 0.5) * ROW_IN
