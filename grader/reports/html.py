"""A verdict as HTML: a fragment for a notebook, or a page of its own."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from grader.reports import words
from grader.vocabulary import Status, Verdict

if TYPE_CHECKING:
    import jinja2

TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Picture:
    """The timeline of one scenario, shown with the first check that failed in it."""

    source: str
    alt: str


def to_html(
    verdict: Verdict, timelines: Mapping[str, str] | None = None, *, level: int = 3
) -> str:
    """Return a verdict as a self-contained fragment of HTML.

    Args:
        verdict: what to render.
        timelines: SVG documents by the name of their scenario; their `title` is
            the picture's alternative text.
        level: of the fragment's heading, from 1 to 5.
    """
    return _template("verdict.html.jinja").render(
        verdict=verdict,
        pictures=_pictures(verdict, timelines or {}),
        level=level,
        words=words,
        Status=Status,
    )


def page(
    verdict: Verdict, timelines: Mapping[str, str] | None = None, *, lang: str = "en"
) -> str:
    """Return a verdict as a whole HTML document; arguments as of `to_html`."""
    return _template("page.html.jinja").render(
        verdict=verdict,
        body=to_html(verdict, timelines, level=1),
        lang=lang,
        words=words,
    )


def _pictures(verdict: Verdict, timelines: Mapping[str, str]) -> dict[str, Picture]:
    """Return the pictures to show, by the name of the check they stand under.

    Each is embedded as an image: whatever is in the SVG can then neither run nor
    share ids with the page around it.
    """
    left = dict(timelines)
    shown = {}
    for result in verdict.results:
        if result.status is Status.failed and result.scenario in left:
            shown[result.check] = picture(left.pop(result.scenario))
    return shown


def picture(svg: str) -> Picture:
    """Return an SVG document as an image that a page can hold."""
    title = TITLE.search(svg)
    alt = html.unescape(title[1]) if title else "Timeline of the run"
    data = base64.b64encode(svg.encode("utf-8", "replace")).decode()
    return Picture(f"data:image/svg+xml;base64,{data}", alt)


def _template(name: str) -> jinja2.Template:
    return _environment().get_template(name)


@cache
def _environment() -> jinja2.Environment:
    import jinja2  # late, because a check on the command line needs text only

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["plain"] = words.printable
    environment.filters["number"] = words.number
    return environment
