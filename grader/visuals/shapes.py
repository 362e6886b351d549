"""The shapes a timeline is made of, with their places in inches."""

from __future__ import annotations

from dataclasses import dataclass

from grader.visuals import style


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `align` is left or right; `on_paper` covers lines behind."""

    x: float
    y: float
    text: str
    color: str
    size_pt: float = style.TEXT_PT
    bold: bool = False
    align: str = "left"
    on_paper: bool = False


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
