"""The pages of a class's grading: whole, safe, and to be read aloud."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from grader import catalog
from grader.visuals import style
from tests.accessibility.audit import problems
from tests.batch.classroom import OTHER, ROOT
from tests.batch.graded_class import CLASS, HOSTILE

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Reads a page; every element is closed, and text is kept."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a name."""
        return [attributes for tag, attributes in self.tags if tag == name]


def pages(out: Path) -> Iterator[Page]:
    """Yield every page."""
    for path in sorted(out.rglob("*.html")):
        yield Page(path)


def test_pages_are_whole_and_safe(out: Path) -> None:
    """every page parses, and runs nothing that an author or a submission wrote"""
    count = 0
    for page in pages(out):
        count += 1
        assert page.all("script") == []
        for image in page.all("img"):
            assert image["alt"]
            assert str(image["src"]).startswith("data:image/svg+xml;base64,")
        for tag, attributes in page.tags:
            assert not [name for name in attributes if name.startswith("on")], tag
    assert count == len(CLASS) + 1


def test_pages_can_be_read_aloud(out: Path) -> None:
    """every page has a language, headings in order, words for pictures and tables"""
    for path in sorted(out.rglob("*.html")):
        assert problems(path.read_text(encoding="utf-8")) == [], path.name


def test_links_lead_somewhere(out: Path) -> None:
    """each link of the class's page leads to a page or a heading that is there"""
    page = Page(out / "index.html")
    ids = {attributes.get("id") for _, attributes in page.tags}
    for link in page.all("a"):
        address = str(link["href"])
        there = address[1:] in ids if address[0] == "#" else (out / address).is_file()
        assert there, address


def test_the_class(out: Path) -> None:
    """a person's business comes first, then which claims fail, how, with a timeline"""
    text = (out / "index.html").read_text(encoding="utf-8")
    assert text.index("A person must look") < text.index("Claims, the one that")
    page = Page(out / "index.html")
    title = catalog.load(OTHER).title
    claim = next(iter(catalog.load(OTHER).checks.values())).claim
    assert f"“{claim}” fails most: 2 times." in page.text
    assert "8 submissions of 7 authors · 6 judged · 2 for a person" in page.text
    assert page.text.count("✗ 2 times") == 1
    assert {"A picture of it"} & {image["alt"] for image in page.all("img")}
    assert title in page.text
    assert HOSTILE in page.text  # as text
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert headings[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(headings))


def test_feedback(out: Path) -> None:
    """a page has the claims and the timeline; an unreadable file has a reason"""
    page = Page(out / "feedback" / "ada" / f"{OTHER}.html")
    assert "A picture of it" in [image["alt"] for image in page.all("img")]
    assert "failed:" in page.text
    (path,) = (out / "feedback" / "dan").glob("unknown-*.html")
    assert "a person must look" in Page(path).text
    assert "save it again" in Page(path).text


def test_colours() -> None:
    """the page's colours are those of the pictures"""
    css = (ROOT / "grader" / "batch" / "class.css").read_text()
    known = {style.PASSED, style.FAILED, style.SKIPPED, style.ERROR, style.INK}
    known |= {style.PAPER, style.FAINT}
    assert set(re.findall(r"#[0-9A-Fa-f]{6}", css)) <= known
