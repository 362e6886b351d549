"""A certificate that anybody may have written is read as data, or refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import catalog
from grader.certifying import document
from grader.certifying.document import END, SCHEMA, START, Certificate, parse
from grader.certifying.page import form, page
from grader.certifying.proof import from_json
from grader.harness.limits import SOURCE_LIMIT_B
from grader.submissions import FILE_LIMIT_B, BadInput
from grader.visuals import style
from grader.vocabulary.exercise import DATABASES
from tests.accessibility.audit import problems
from tests.certifying.conftest import TOUR, command, full, made_of

MADE = made_of({TOUR: full(TOUR)})
HOSTILE = "</script><script>alert(1)</script><b onload='x'>\x1b[2J\u202e\ud800"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)


class Tags(HTMLParser):
    """Collects what a browser would take for elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def is_safe(text: str) -> None:
    """Fail unless a page runs nothing, and asks nothing from anywhere."""
    tags = Tags(text).tags
    scripts = [attributes for tag, attributes in tags if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "certificate"}]
    for tag, attributes in tags:
        assert tag not in {"iframe", "object", "embed", "link", "base", "form", "img"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert "javascript:" not in (value or "")


def places(data: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to each value in data."""
    found = [here] if here else []
    if isinstance(data, dict | list):
        items = data.items() if isinstance(data, dict) else enumerate(data)
        for name, value in items:
            found += places(value, (*here, name))
    return found


def changed(data: Any, way: tuple[Any, ...], value: Any) -> Any:
    """Return a copy of data with one value put in place of another."""
    copy = json.loads(json.dumps(data))
    inner = copy
    for name in way[:-1]:
        inner = inner[name]
    inner[way[-1]] = value
    return copy


DATA = MADE.to_json()


def test_a_page_is_read_as_it_was_made() -> None:
    """what a page carries is what it was made of, and the same page comes of it"""
    assert parse(page(MADE)) == MADE
    assert parse(json.dumps(DATA)) == MADE
    assert page(parse(page(MADE))) == page(MADE)


def test_a_page_can_be_read_aloud() -> None:
    """the page has a language, headings in order, header cells and contrast"""
    assert problems(page(MADE)) == []
    assert "@media print" in page(MADE)
    css = Path(document.__file__).with_name("certificate.css").read_text()
    known = {style.PASSED, style.SKIPPED, style.INK, style.PAPER, style.FAINT}
    assert set(re.findall(r"#[0-9A-F]{6}", css)) == known | {"#F5F5F5"}


@pytest.mark.parametrize("stem", catalog.stems())
def test_every_exercise_fits(stem: str) -> None:
    """titles and claims of the course, and the largest submission, are of the schema"""
    data = made_of({stem: full(stem)}).to_json()
    assert document.invalid(data) == ""
    proof = next(e["proof"] for e in data["exercises"] if e["proof"])
    assert document.invalid(proof, "proof") == ""
    assert from_json(proof).points == catalog.load(stem).points


def test_limits_agree() -> None:
    """the schema allows what the harness takes, and what can be asked for"""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    proof = schema["$defs"]["proof"]["properties"]
    assert proof["text"]["maxLength"] == SOURCE_LIMIT_B
    assert proof["database"]["enum"] == ["", *DATABASES]
    assert len(catalog.stems()) <= schema["properties"]["exercises"]["maxItems"]


def test_hostile_words_are_words() -> None:
    """nothing that a certificate says becomes markup, on the page or in a terminal"""
    proof = replace(full(TOUR), text=HOSTILE, tier=HOSTILE, versions={"x": HOSTILE})
    made = replace(made_of({TOUR: proof}, HOSTILE), form=form())
    entry = replace(made.exercises[0], title=HOSTILE)
    made = replace(made, exercises=(entry, *made.exercises[1:]))
    text = page(made)
    is_safe(text)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not set("<>&") & set(text.partition(START)[2].partition(END)[0])
    assert parse(text) == made


def test_hostile_words_in_a_terminal(tmp_path: Path) -> None:
    """what a terminal would obey is printed as an escape"""
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(replace(MADE, name=HOSTILE, exercises=()).to_json()))
    status, out, err = command(path)
    assert (status, out) == (2, "")
    made = replace(MADE.exercises[0], title=HOSTILE)
    path.write_text(
        json.dumps(replace(MADE, name=HOSTILE, exercises=(made,)).to_json())
    )
    status, out, err = command(path)
    assert status == 1
    for sign in ("\x1b", "\u202e"):
        assert sign not in out + err


BAD = {
    "nothing": (b"", "JSONDecodeError"),
    "no JSON": (b"{", "JSONDecodeError"),
    "a list": (b"[]", "at $: "),
    "no fields": (b"{}", "at $: "),
    "no number": (
        json.dumps(DATA).replace('"score": 6', '"score": NaN').encode(),
        "NaN, which is no number",
    ),
    "deep": (b"[" * 100_000, "RecursionError"),
    "not UTF-8": (b"\xff", "expected text in UTF-8"),
    "too large": (b" " * (FILE_LIMIT_B + 1), f"at most {FILE_LIMIT_B} bytes"),
    "a page of something": (b"<html></html>", "its data 0 times"),
    "a page with two": ((START + END).encode() * 2, "its data 2 times"),
    "a page with nothing": ((START + END).encode(), "JSONDecodeError"),
    "another format": (
        json.dumps({**DATA, "certificate": 2}).encode(),
        "at $.certificate: 1 was expected",
    ),
    "a path": (
        json.dumps(changed(DATA, ("exercises", 0, "exercise"), "../x")).encode(),
        "at $.exercises[0].exercise: '../x' does not match",
    ),
    "a large text": (
        json.dumps(
            changed(DATA, ("exercises", 0, "proof", "text"), "x" * 1_048_577)
        ).encode(),
        "is too long",
    ),
    "many exercises": (
        json.dumps({**DATA, "exercises": DATA["exercises"] * 100}).encode(),
        "is too long",
    ),
    "many processes": (
        json.dumps(changed(DATA, ("exercises", 0, "proof", "processes"), 17)).encode(),
        "17 is greater than the maximum of 16",
    ),
    "more fields": (json.dumps({**DATA, "signed": True}).encode(), "'signed' was"),
}


@pytest.mark.parametrize(("content", "found"), BAD.values(), ids=BAD)
def test_what_is_no_certificate(tmp_path: Path, content: bytes, found: str) -> None:
    """it is refused with what was expected and found, in a few words"""
    path = tmp_path / "certificate.html"
    path.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        document.read(path)
    assert found in str(refused.value)
    assert str(refused.value).startswith("expected ")
    assert len(str(refused.value)) < 400


def test_no_file(tmp_path: Path) -> None:
    """a file that is not there, or a folder, is refused with status 2"""
    for path in (tmp_path / "gone.html", tmp_path):
        status, out, err = command(path)
        assert (status, out) == (2, "")
        assert str(path) in err


@settings(max_examples=200, deadline=None)
@given(way=st.sampled_from(places(DATA)), value=ANYTHING)
def test_any_value_anywhere(way: tuple[Any, ...], value: Any) -> None:
    """with any value at any place, it is refused, or read and shown without harm"""
    reads(json.dumps(changed(DATA, way, value)))


@settings(max_examples=200, deadline=None)
@given(st.text() | ANYTHING.map(json.dumps) | st.text().map(lambda t: START + t + END))
def test_any_text(text: str) -> None:
    """any text is refused, or read and shown without harm"""
    reads(text)


def reads(text: str) -> None:
    """Fail unless a text is refused in words, or is a certificate that is safe."""
    try:
        made = parse(text)
    except BadInput:
        return
    assert isinstance(made, Certificate)
    is_safe(page(made))
    assert parse(page(made)) == made
