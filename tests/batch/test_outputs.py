"""What a class's grading writes: tables, pages, and results for other systems."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from grader import catalog
from grader.batch import gradescope
from grader.batch.graded import Graded, line_of
from grader.batch.journal import Journal
from grader.batch.pages import PARTS
from grader.batch.places import Places, safe, write
from grader.batch.reporting import report
from grader.batch.submitted import Submitted, digest
from grader.batch.tables import plain
from grader.batch.tally import general, tally
from grader.visuals import style
from grader.visuals.bars import Bars
from grader.vocabulary import Result, Status, Verdict, draw
from tests.accessibility.audit import problems
from tests.batch.classroom import OTHER, ROOT, STEM, verdict

HOSTILE = '<script>alert("x")</script>&=1+1'
SVG = '<svg width="10" height="10"><title>A picture of it</title></svg>'


def one(author: str, text: str = "x", stem: str = STEM, **fields: Any) -> Submitted:
    """Return something that was handed in."""
    return Submitted(author, stem, f"/in/{author}.ipynb", digest(text), **fields)


def failed(rationale: str, stem: str = OTHER, **fields: Any) -> Verdict:
    """Return a verdict in which one check failed so."""
    exercise = catalog.load(stem)
    check = next(iter(exercise.checks.values()))
    found = verdict(stem=stem, **fields)
    result = Result(
        *(check.name, check.claim, Status.failed, 0.0, check.points, rationale),
        *((HOSTILE,), (1,), check.scenarios[0], HOSTILE),
    )
    rest = [r for r in found.results if r.check != check.name]
    return Verdict(stem, exercise.title, 7, 0, (result, *rest))


UNREAD = {"problem": f"expected a notebook, found {HOSTILE}", "help": "save it again"}
CLASS = [
    Graded(one("ada"), verdict()),
    Graded(one("ada", "y", OTHER, note="handed in 2 times"), failed(HOSTILE)),
    Graded(one("bob", name="Bob B", number="4711", system="moodle"), verdict(), "ada"),
    Graded(one("cleo", "z"), verdict(Status.error)),
    Graded(one("dan", "d", "", **UNREAD), None),
    Graded(one("eve_77", "e", number="77", system="canvas", late=True), verdict()),
    Graded(one(HOSTILE, "h", OTHER), failed(HOSTILE)),
    Graded(one("zoe", "i", OTHER), verdict(Status.skipped, OTHER, problem=HOSTILE)),
]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of everything that can happen, reported."""
    places = Places(tmp_path_factory.mktemp("out"))
    found = sorted((each.one for each in CLASS), key=lambda one: (one.author, one.stem))
    with Journal(places.journal) as journal:
        for each in CLASS:
            journal.append(line_of(each))
            if each.verdict is not None and each.verdict.results[0].scenario:
                folder = places.timelines(each.one.stem, each.one.sha256)
                write(folder / f"{each.verdict.results[0].scenario}.svg", SVG)
        assert report(found, journal, places) == 2
    return places.out


def rows(path: Path) -> list[dict[str, str]]:
    """Return a table's rows by their columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_grades(out: Path) -> None:
    """each submission is a row; what a person must look at has no score"""
    found = {(row["author"], row["exercise"]): row for row in rows(out / "grades.csv")}
    assert len(found) == len(CLASS)
    ada = found["ada", STEM]
    assert (ada["status"], ada["score"], ada["max_score"]) == ("judged", "10", "10")
    assert found["bob", STEM]["identical_to"] == "ada"
    cleo = found["cleo", STEM]
    assert (cleo["status"], cleo["score"]) == ("error", "")
    assert found["dan", ""]["status"] == "unreadable"
    assert found["dan", ""]["reason"].startswith("expected a notebook")
    assert found["ada", OTHER]["note"] == "handed in 2 times"
    assert found["eve_77", STEM]["late"] == "late"
    for row in found.values():
        assert (out / row["feedback"]).is_file(), row


def test_canvas(out: Path) -> None:
    """Canvas finds its columns, its ids and the points, and no cell is blank"""
    text = (out / "canvas" / f"{STEM}.csv").read_text(encoding="utf-8")
    head, possible, *body = list(csv.reader(text.splitlines()))
    assert head[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert head[5] == f"{STEM}: {catalog.load(STEM).title}"
    assert (possible[0].strip(), possible[5]) == ("Points Possible", "10")
    assert [(row[0], row[1], row[5]) for row in body] == [
        ("ada", "", "10"),
        ("Bob B", "", "10"),
        ("eve_77", "77", "10"),
    ]


def test_moodle(out: Path) -> None:
    """Moodle finds its columns and participants, for those who have a score"""
    found = rows(out / "moodle" / f"{STEM}.csv")
    assert {"Identifier", "Grade", "Last modified (grade)"} <= set(found[0])
    assert [row["Identifier"] for row in found] == ["", "Participant 4711", ""]
    assert {row["Grade"] for row in found} == {"10"}


def test_lines_keep_to_their_schema(out: Path) -> None:
    """every line of the journal is of the documented schema"""
    schemas = {
        name: json.loads((ROOT / "grader" / name).read_text(encoding="utf-8"))
        for name in ("verdicts.schema.json", "verdict.schema.json")
    }
    named = [(name, Resource.from_contents(schema)) for name, schema in schemas.items()]
    validator = Draft202012Validator(
        schemas["verdicts.schema.json"], registry=Registry().with_resources(named)
    )
    text = (out / "verdicts.jsonl").read_text(encoding="utf-8")
    for line in text.splitlines():
        validator.validate(json.loads(line))
    damaged = {**json.loads(text.splitlines()[0]), "status": "fine"}
    assert list(validator.iter_errors(damaged))


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


def test_gradescope(out: Path) -> None:
    """an author's results have a test for each claim, and no score for an error"""
    data = json.loads((out / "gradescope" / "ada" / "results.json").read_text())
    checks = len(catalog.load(STEM).checks) + len(catalog.load(OTHER).checks)
    assert len(data["tests"]) == checks
    assert {test["output_format"] for test in data["tests"]} == {"text"}
    assert {test["status"] for test in data["tests"]} == {"passed", "failed"}
    assert sum(test["max_score"] for test in data["tests"]) == 20
    for author in ("cleo", "dan"):
        text = (out / "gradescope" / author / "results.json").read_text()
        assert not any("score" in test for test in json.loads(text)["tests"])
    assert gradescope.results([])


@given(st.text(max_size=80), st.text(max_size=80))
def test_names_are_safe(name: str, other: str) -> None:
    """an author's file name is short, plain, and another author's is another"""
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", safe(name))
    assert safe(safe(name)) != safe(name) or safe(name) == name
    assert (safe(name).casefold() == safe(other).casefold()) == (name == other)


@pytest.mark.parametrize("name", ["con", "..", "a/b", "Ada", "ADA", "x" * 300, "é", ""])
def test_odd_names(name: str) -> None:
    """names that a system reserves, or that differ in case only, are hashed"""
    assert safe(name) != name
    assert len(safe(name)) < 64


@given(st.text(max_size=40))
@example("=1+1")
@example("\x1b[2J")
def test_cells(text: str) -> None:
    """no cell of a table is a formula or steers a terminal"""
    cell = plain(text)
    assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert all(c.isprintable() or c == "\n" for c in cell)


def test_misses_are_grouped() -> None:
    """failures that differ in what the seed drew, or in numbers, are one near miss"""
    exercise = catalog.load(OTHER)
    scenario = next(iter(exercise.checks.values())).scenarios[0]
    said = []
    for seed in (1, 2):
        value = next(iter(draw(exercise.scenarios[scenario], seed).values.values()))
        result = failed(f"{value} was told {seed} times by process 1").results[0]
        said.append(general(exercise, result, seed))
    assert said[0] == said[1]
    assert said[0].endswith("was told … times by process 1")


def test_many_different_misses() -> None:
    """a class whose failures are all different costs bounded memory"""
    many = 400
    stream = (
        (
            one(f"a{n}", str(n), OTHER),
            failed(f"{n:b}".replace("0", "a").replace("1", "b")),
        )
        for n in range(many)
    )
    (found,) = tally(stream)
    assert found.judged == many
    assert len(found.misses) + found.more == many
    assert len(found.misses) <= 300


def test_bars() -> None:
    """the picture of a count says the same in its text and its table"""
    shown = Bars(
        "claim", "Caption", PARTS, (("a <claim>", {"passed": 3, "failed": 1}),)
    )
    assert shown.alt == "Bars. a <claim>: 3 passed, 1 failed."
    assert "a &lt;claim&gt;" in shown.html
    assert '<td class="number">3</td><td class="number">1</td>' in shown.html
    assert "✓ 3 passed" in shown.svg
    assert "skipped" not in shown.html
    for part in PARTS:
        assert style.contrast(part.color, style.TINTS[part.color]) >= 3
        assert style.contrast(style.INK, style.TINTS[part.color]) >= 4.5


def test_colours() -> None:
    """the page's colours are those of the pictures"""
    css = (ROOT / "grader" / "batch" / "class.css").read_text()
    known = {style.PASSED, style.FAILED, style.SKIPPED, style.ERROR, style.INK}
    known |= {style.PAPER, style.FAINT}
    assert set(re.findall(r"#[0-9A-Fa-f]{6}", css)) <= known
