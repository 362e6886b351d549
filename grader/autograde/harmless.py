"""Takes out of a learner's cells what would run in the browser of who reads them.

nbconvert shows markup as it is, and formgrader shows it where a teacher is logged in.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from typing import Any

import bleach
from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer
from nbformat.v4 import new_output

from grader.autograde.effort import Effort, allowed
from grader.submissions import writable

TAGS = frozenset(
    [
        *("a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "details"),
        *("div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4"),
        *("h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "small", "span"),
        *("strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th"),
        *("thead", "tr", "u", "ul"),
    ]
)
ATTRIBUTES = {
    "*": ["style", "role", "aria-label", "title", "lang", "dir", "open", "tabindex"],
    "a": ["href"],
    "img": ["src", "alt", "width", "height"],
    "th": ["scope", "colspan", "rowspan"],
    "td": ["colspan", "rowspan"],
}
PROTOCOLS = frozenset({"http", "https", "mailto", "data"})
STYLES = CSSSanitizer([*ALLOWED_CSS_PROPERTIES, "margin", "max-width", "padding"])
# One that has no end hides all that follows, as in a browser.
SHEETS = re.compile(r"<(script|style)\b.*?(?:</\1\s*+>|\Z)", re.IGNORECASE | re.DOTALL)
IMAGES = ("image/png", "image/jpeg")
TAG = re.compile(r"<(?=[A-Za-z/!?])")
HIDDEN = "\u200b"  # a space of no width: what stands before it is no markup any more
# Where a link of Markdown leads: behind its text, or behind its name. It is looked at
# so far only, for one may begin at each character of another.
LOOKED_AT = 200
TARGET = re.compile(rf"(\](?:\(\s*+|:[\s>]*+)<?\s*+)(?=([^\s)>]{{0,{LOOKED_AT}}}))")
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)


def make_harmless(nb: Any) -> None:
    """Leave of what a learner wrote and showed what can be read, and nothing else.

    What is not of the notebook format would be refused later, and a grade be lost.
    """
    nb.metadata.pop("widgets", None)
    effort = Effort()
    for cell in nb.cells:
        about = cell.metadata.get("nbgrader", {})
        own = not about or about.get("solution")
        if own:
            cell.source = allowed(cell.source)
        if cell.cell_type == "code":
            cell.outputs = [shown(output, effort) for output in cell.outputs]
            if own and not effort.highlights(cell.source):
                cell.metadata["magics_language"] = "text"  # for nbconvert
            count = cell.get("execution_count")
            cell.execution_count = count if type(count) is int else None
        elif own:
            cell.source = readable(effort.cut(cell.source))


def readable(markdown: str) -> str:
    """Return Markdown that shows its tags, and whose links lead to pages only."""
    return TARGET.sub(_led, TAG.sub(f"<{HIDDEN}", markdown))


def _led(found: re.Match[str]) -> str:
    target = "".join(html.unescape(found[2]).replace("\\", "").split())
    scheme = SCHEME.match("".join(c for c in target if c.isprintable()))
    cut = len(found[2]) == LOOKED_AT  # a scheme may be spelled so that it is longer
    bad = scheme[1].lower() not in PROTOCOLS - {"data"} if scheme else cut
    return f"{found[1]}#" if bad else found[1]


def shown(output: Any, effort: Effort) -> Any:
    """Return an output that holds what can be shown, in the form that it has to have.

    A kernel is the learner's, and may send anything.
    """
    kind = str(output.get("output_type"))
    made: Any
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        text = writable(str(output.get("text", "")))
        made = new_output("stream", name=name, text=text)  # type: ignore[no-untyped-call]
    elif kind == "error":
        given = output.get("traceback")
        lines = given if isinstance(given, list) else []
        trace = [writable(str(line)) for line in lines]
        what = {key: writable(str(output.get(key, ""))) for key in ("ename", "evalue")}
        made = new_output("error", traceback=trace, **what)  # type: ignore[no-untyped-call]
    else:
        data = output.get("data")
        kept = _kept(data if isinstance(data, dict) else {}, effort)
        made = new_output("display_data", data=kept)  # type: ignore[no-untyped-call]
    return made


def _kept(data: dict[str, Any], effort: Effort) -> dict[str, str]:
    kept = {}
    for kind, given in data.items():
        if not isinstance(given, str):
            continue
        value = writable(given)
        if kind == "text/plain":
            kept[kind] = value
        elif kind == "text/html":
            cleaned = effort.clean(value, markup)
            if cleaned is not None:
                kept[kind] = cleaned
        elif kind == "text/markdown":
            kept[kind] = readable(effort.cut(value))
        elif kind == "text/latex":
            kept[kind] = TAG.sub("< ", value)
        elif kind in IMAGES and _is_base64(value):
            kept[kind] = value
    return kept or {"text/plain": "(nothing that can be shown here)"}


def markup(text: str) -> str:
    """Return HTML of which no part is a program."""
    cleaned: str = bleach.clean(
        SHEETS.sub("", text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        protocols=PROTOCOLS,
        css_sanitizer=STYLES,
    )
    return cleaned


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
