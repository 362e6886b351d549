"""A scene painted by matplotlib, as SVG or PNG, with its global state left alone."""

from __future__ import annotations

import hashlib
import html
import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

from grader.visuals import style
from grader.visuals.layout import Measure
from grader.visuals.shapes import Bar, Line, Mark, Scene, Text

POINTS_PER_INCH = 72
MARKERS = {
    "model": ("o", 5.0),
    "charge": ("D", 6.0),
    "answer": ("s", 5.0),
    "killed": ("X", 10.0),
    "broken": ("X", 10.0),
    "stopped": ("s", 7.0),
    "start": (">", 8.0),
    "limit": ("D", 7.0),
    "exit": ("s", 6.0),
    "output": ("o", 4.0),
    "stored": ("s", 7.0),
}
PAUSE_IN = (-0.025, 0.025)  # the two strokes of the sign for "held"
WIDTHS = 20_000  # of texts, a few MiB
TAG = re.compile(r"<[^>]+>")
ID = re.compile(r'(\bid="|url\(#|href="#)')


@contextmanager
def quiet_matplotlib() -> Iterator[None]:
    """Use our settings for a while; matplotlib's warnings go nowhere.

    A glyph that the font lacks is a warning on stderr, and any text on stderr
    costs a graded notebook cell its points.
    """
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(style.SETTINGS)  # type: ignore[arg-type]
        yield


@cache
def measured() -> Measure:
    """Return a function of a text and its size that gives its width in inches.

    A class's pictures have most of their texts in common, and to measure them is a
    third of what a picture takes: so it remembers them, up to a number.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    @lru_cache(WIDTHS)
    def width(text: str, size_pt: float) -> float:
        if not text:
            return 0.0
        font = FontProperties(family="DejaVu Sans", size=size_pt)
        points = text_to_path.get_text_width_height_descent(text, font, ismath=False)
        return float(points[0]) / POINTS_PER_INCH

    return width


def to_png(scene: Scene) -> bytes:
    """Return the scene as a PNG image."""
    with quiet_matplotlib():
        return _saved(scene, format="png", dpi=style.PNG_DPI)


def to_svg(scene: Scene, alt: str) -> str:
    """Return the scene as an SVG document that can also stand in a page of HTML.

    Its ids start with a digest of the picture, so that several share a page.
    """
    with quiet_matplotlib():
        text = _saved(scene, format="svg", metadata={"Date": None}).decode()
    text = text[text.index("<svg ") :]
    unique = "t" + hashlib.sha256(text.encode()).hexdigest()[:8] + "-"
    text = TAG.sub(lambda tag: ID.sub(rf"\g<1>{unique}", tag[0]), text)
    text = text.replace("*{stroke", f"#{unique}figure_1 *{{stroke", 1)
    fonts = ", ".join(f"'{name}'" if " " in name else name for name in style.FONTS)
    text = text.replace("'DejaVu Sans'", fonts)
    label = html.escape(alt, quote=True)
    head, rest = text.split(">", 1)
    return f'{head} role="img" aria-label="{label}">\n <title>{label}</title>{rest}'


def _saved(scene: Scene, **options: Any) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(scene.width, scene.height), facecolor=style.PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, scene.width)
    axes.set_ylim(0, scene.height)
    painters: dict[type, Callable[[Any, Any], None]] = {
        Bar: _bar,
        Line: _line,
        Mark: _mark,
        Text: _text,
    }
    for shape in scene.shapes:
        painters[type(shape)](axes, shape)
    out = io.BytesIO()
    figure.savefig(out, **options)
    return out.getvalue()


def _bar(axes: Any, bar: Bar) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (bar.x, bar.y - bar.height / 2),
            bar.width,
            bar.height,
            facecolor=style.TINTS[bar.color],
            edgecolor=bar.color,
            linewidth=1.5,
            zorder=2,
        )
    )


def _line(axes: Any, line: Line) -> None:
    axes.plot(
        [line.x, line.to_x],
        [line.y, line.to_y],
        color=line.color,
        linewidth=1.0 if line.dashed else 1.5,
        linestyle="--" if line.dashed else "-",
        zorder=3 if line.dashed else 1,
    )


def _mark(axes: Any, mark: Mark) -> None:
    if mark.shape == "held":
        for offset in PAUSE_IN:
            x = mark.x + offset
            ends = [mark.y - 0.06, mark.y + 0.06]
            axes.plot([x, x], ends, color=mark.color, linewidth=2, zorder=4)
        return
    marker, size = MARKERS.get(mark.shape, ("o", 5.0))
    axes.plot(
        [mark.x],
        [mark.y],
        marker=marker,
        markersize=size,
        color=mark.color,
        markeredgecolor=style.PAPER,
        markeredgewidth=0.5,
        zorder=5,
    )


def _text(axes: Any, text: Text) -> None:
    paper = {"facecolor": style.PAPER, "edgecolor": "none", "pad": 0.5}
    axes.text(
        text.x,
        text.y,
        text.text,
        color=text.color,
        fontsize=text.size_pt,
        fontweight="bold" if text.bold else "normal",
        horizontalalignment=text.align,
        verticalalignment="center_baseline",
        parse_math=False,
        bbox=paper if text.on_paper else None,
        zorder=4 if text.on_paper else 6,
    )
