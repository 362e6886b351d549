"""A report as HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import grader.reports
from grader.reports import Report, page, to_html, to_text
from grader.reports.words import MARKS, WORDS
from grader.visuals import style
from grader.vocabulary import Result, Status
from tests.reports.example_verdicts import (
    ANSWERS,
    EVERY,
    MIXED,
    TITLE,
    UNKNOWN,
    verdict,
)

VOID = {"meta", "img", "br", "link"}
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg"><title>a &amp; b</title>'
    "<script>alert(1)</script></svg>"
)


class Outline(HTMLParser):
    """Collects tags and text, and notes an end tag that closes another element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.mark.parametrize("name", EVERY)
def test_well_formed(name: str) -> None:
    """every element that is opened is closed, in fragment and page"""
    assert Outline(to_html(EVERY[name])).open == []
    assert Outline(page(EVERY[name])).open == []


def test_hostile_text_is_text() -> None:
    """nothing that a submission or a check says becomes markup"""
    bad = "<script>alert(1)</script><b onload='x'>\x1b[2J</details>"
    failed = Result("c", bad, Status.failed, 0, 1, bad, (bad,), (1,), bad, bad)
    error = Result("d", bad, Status.error, 0, 1, f"{bad}\n{bad}")
    hostile = verdict(failed, error, problem=f"{bad}\n{bad}", help=bad, tier=bad)
    outline = Outline(page(hostile, {"other": bad}))
    assert outline.open == []
    assert outline.named("script") == outline.named("b onload") == []
    assert all("onload" not in attrs for _, attrs in outline.tags)
    assert "\x1b" not in outline.text


@pytest.mark.parametrize("status", Status)
def test_color_shape_and_word(status: Status) -> None:
    """each status has a class of its own, a mark and a word"""
    text = to_html(verdict(Result("c", "claim", status, 0, 1, "why")))
    assert f'<li class="{status}">' in text
    assert f'aria-hidden="true">{MARKS[status]}</span>' in text
    assert f">{WORDS[status]}:</span> claim" in text


def test_headings_do_not_skip() -> None:
    """heading levels start where told and go down one at a time"""
    for level, text in ((3, to_html(MIXED)), (1, page(MIXED))):
        levels = [int(n) for n in re.findall(r"<h(\d)", text)]
        assert levels == [level, *[level + 1] * 3]


def test_page() -> None:
    """a page says its language and title, and needs nothing from elsewhere"""
    outline = Outline(page(MIXED))
    assert outline.named("html") == [{"lang": "en"}]
    assert f"{TITLE}: 1 / 7" in outline.text
    assert "http" not in page(MIXED)
    assert len(outline.named("main")) == 1


def test_traceback_is_folded() -> None:
    """a traceback is there, inside details whose summary is its last line"""
    text = to_html(UNKNOWN)
    assert "<details><summary>ValueError: not enough values" in text
    assert "Traceback (most recent call last)" in text
    assert "a person must look" in text


def test_timeline_of_a_failed_check() -> None:
    """the picture of a failed check's run is embedded once, with its words"""
    again = Result("e", "again", Status.failed, 0, 1, "w", (), (), "hand_over")
    text = to_html(verdict(ANSWERS, *MIXED.results, again), {"hand_over": SVG})
    pictures = Outline(text).named("img")
    assert [picture["alt"] for picture in pictures] == ["a & b"]
    assert "alert" not in text


def test_colors_are_the_pictures() -> None:
    """the style sheet uses the colours of the pictures, and no others"""
    css = Path(grader.reports.__file__).with_name("verdict.css").read_text()
    for name, color in {
        "passed": style.PASSED,
        "failed": style.FAILED,
        "error": style.ERROR,
    }.items():
        assert f".grader-report .{name} .mark {{ color: {color}; }}" in css
    known = {style.PASSED, style.FAILED, style.ERROR, style.SKIPPED, style.INK}
    assert set(re.findall(r"#[0-9A-F]{6}", css)) == known | {style.PAPER, "#F5F5F5"}


def test_report_displays_itself() -> None:
    """a report as a cell's value offers text and HTML"""
    bundle = Report(MIXED, {"hand_over": SVG})._repr_mimebundle_()
    assert bundle["text/plain"] == to_text(MIXED) == repr(Report(MIXED))
    assert "<img" in bundle["text/html"]
