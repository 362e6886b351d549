"""The pages of a class's grading: whole, safe, and to be read aloud."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from grader import catalog
from grader.batch.graded import SHOWN, Graded, line_of
from grader.batch.journal import Journal
from grader.batch.pages import _rows
from grader.batch.places import Places
from grader.batch.reporting import report
from grader.visuals import style
from grader.vocabulary import Status
from tests.accessibility.audit import problems
from tests.batch.classroom import OTHER, ROOT, verdict
from tests.batch.graded_class import CLASS, HOSTILE, one

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


def test_long_texts(tmp_path: Path) -> None:
    """one submission with endless texts ends nobody's page, and is cut in its row"""
    places = Places(tmp_path / "out")
    endless = "e" * 200_000
    eve = replace(one("eve", problem=endless, note=endless), source=endless)
    broken = verdict(Status.error)
    results = [replace(each, rationale=endless) for each in broken.results]
    cem = Graded(one("cem", "z"), replace(broken, results=tuple(results)))
    found = [Graded(one("ada"), verdict()), cem, Graded(eve, None)]
    with Journal(places.journal) as journal:
        for each in found:
            journal.append(line_of(each))
        assert report([each.one for each in found], journal, places) == 2
    ada, *waiting = _rows(places.out / "grades.csv")
    assert ada["reason"] == ""
    cut = [row["reason"] for row in waiting] + [
        waiting[1]["note"],
        waiting[1]["source"],
    ]
    assert [(len(text), text[-7:]) for text in cut] == [(SHOWN, "… (cut)")] * 4
    text = Page(places.out / "index.html").text
    assert "3 submissions of 3 authors" in text
    assert "… (cut)" in text
    assert "e" * SHOWN not in text


def test_long_rows(tmp_path: Path) -> None:
    """a row is read for the class's page however long one of its cells is"""
    path = tmp_path / "grades.csv"
    path.write_text(f"author,note\n{'a' * 200_000},\n")
    (row,) = _rows(path)
    assert len(row["author"]) == 200_000


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
