"""What a reader without eyes, or without a mouse, needs of a page: found or missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag

from grader.visuals import style

COLOR = re.compile(r"(?<![-\w])color\s*:\s*(#[0-9a-fA-F]{3,6})")
GROUND = re.compile(r"background(?:-color)?\s*:\s*(#[0-9a-fA-F]{3,6})")
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
# Marks and counts, bold, and always beside a word in ink.
MARK = re.compile(r"mark|times|verdict")
TEXT_CONTRAST, MARK_CONTRAST = 4.5, 3.0
NAMED = ("aria-label", "aria-labelledby", "title")


def problems(text: str, *, level: int = 0) -> list[str]:
    """Return what is missing in a document of HTML, or in a fragment of one.

    Args:
        text: the HTML.
        level: of the heading that a fragment stands below; 0 for a whole page.
    """
    soup = BeautifulSoup(text, "html.parser")
    found = [*_headings(soup, level), *_pictures(soup), *_tables(soup)]
    found += [*_controls(soup), *_ids(soup), *_contrasts(soup)]
    if soup.find("html"):
        found += _page(soup)
    return found


def _page(soup: BeautifulSoup) -> Iterator[str]:
    if not soup.html.get("lang"):
        yield "html without lang"
    if not (soup.title and soup.title.get_text(strip=True)):
        yield "a page without a title"
    for name in ("main", "h1"):
        if len(soup.find_all(name)) != 1:
            yield f"expected one {name}, found {len(soup.find_all(name))}"


def _headings(soup: BeautifulSoup, level: int) -> Iterator[str]:
    for heading in soup.find_all(re.compile(r"^h[1-6]$")):
        if int(heading.name[1]) > level + 1:
            yield f"{heading.name} below h{level}: {heading.get_text(strip=True)}"
        if not heading.get_text(strip=True):
            yield f"an empty {heading.name}"
        level = int(heading.name[1])


def _pictures(soup: BeautifulSoup) -> Iterator[str]:
    for image in soup.find_all("img"):
        if not str(image.get("alt", "")).strip():
            yield f"an image without alt: {str(image)[:80]}"
    for drawing in soup.find_all("svg"):
        hidden = drawing.get("aria-hidden") == "true"
        named = drawing.get("role") == "img" and drawing.get("aria-label")
        if not (hidden or named):
            yield f"a drawing without role and label: {str(drawing)[:80]}"


def _tables(soup: BeautifulSoup) -> Iterator[str]:
    for table in soup.find_all("table"):
        heads = table.select("thead th")
        if not heads:
            yield f"a table without header cells: {str(table)[:80]}"
        width = max(len(row.find_all(["td", "th"])) for row in table.select("tr"))
        if len(heads) != width:
            yield f"{len(heads)} header cells over {width} columns: {table.get_text()}"
        for cell in heads[1:]:
            if not cell.get_text(strip=True):
                yield f"an empty header cell: {str(table)[:80]}"


def _controls(soup: BeautifulSoup) -> Iterator[str]:
    labels = {label.get("for") for label in soup.find_all("label")}
    for control in soup.find_all(["input", "select", "textarea", "button", "a"]):
        if control.name == "a" and not control.get("href"):
            continue
        if not (_is_named(control) or control.get("id") in labels):
            yield f"a control without a name: {str(control)[:80]}"
    for element in soup.find_all(attrs={"tabindex": True}):
        if int(str(element["tabindex"])) > 0:
            yield f"an order of its own: {str(element)[:80]}"
        elif not any(element.get(name) for name in NAMED):
            yield f"focus without a name: {str(element)[:80]}"
    for details in soup.find_all("details"):
        summary = details.find("summary", recursive=False)
        if summary is None or not summary.get_text(strip=True):
            yield f"details without a summary: {str(details)[:80]}"


def _is_named(control: Tag) -> bool:
    inside = control.get_text(strip=True) or control.find("img", alt=True)
    spoken = any(control.get(name) for name in NAMED)
    return bool(inside or spoken or control.find_parent("label"))


def _ids(soup: BeautifulSoup) -> Iterator[str]:
    counted = Counter(str(each["id"]) for each in soup.find_all(id=True))
    yield from (f"{n} elements of id {name}" for name, n in counted.items() if n > 1)


def _contrasts(soup: BeautifulSoup) -> Iterator[str]:
    """Find colours of text that are too faint on what they stand on."""
    rules = [
        (f"{element.name} {element.get_text(strip=True)[:20]}", str(element["style"]))
        for element in soup.find_all(style=True)
        if element.find_parent("svg") is None
    ]
    for sheet in soup.find_all("style"):
        if sheet.find_parent("svg") is None:
            rules += RULE.findall(sheet.get_text())
    for where, declared in rules:
        ground = (GROUND.findall(declared) or [style.PAPER])[-1]
        bold = MARK.search(where) or where.startswith("td ")
        needed = MARK_CONTRAST if bold else TEXT_CONTRAST
        for color in COLOR.findall(declared):
            if style.contrast(_long(color), _long(ground)) < needed:
                yield f"{color} on {ground}: {where.strip()}"


def _long(color: str) -> str:
    return color if len(color) == 7 else "#" + "".join(2 * c for c in color[1:4])
