"""What a class's grading writes for other systems: tables, lines and results."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from grader import catalog
from grader.batch import gradescope
from grader.batch.graded import Graded
from grader.batch.places import Places, safe
from grader.batch.submitted import Submitted
from grader.batch.tables import Tables, plain
from tests.batch.classroom import OTHER, ROOT, STEM
from tests.batch.graded_class import CLASS


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


def half_written(folder: Path) -> None:
    one = Graded(Submitted("ada", STEM, "a.ipynb", "", problem="none"), None)
    with Tables(Places(folder)) as tables:
        tables.add(one)
        raise KeyboardInterrupt


def test_half_a_table_is_none(tmp_path: Path) -> None:
    """tables whose writing is interrupted are not there, and the old ones stay"""
    (tmp_path / "grades.csv").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        half_written(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["grades.csv"]
    assert (tmp_path / "grades.csv").read_text() == "old"


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


@given(st.text(st.sampled_from("=+-@;,|\n\t\r \"'x\uff1d\uff1b") | st.characters()))
@example("=1+1")
@example("\x1b[2J")
def test_cells(text: str) -> None:
    """no cell of a table is a formula or steers a terminal, wherever it is split"""
    cell = plain(text)
    assert all(c.isprintable() or c == "\n" for c in cell)
    for part in re.split("[;,|\n\uff0c\uff1b\u060c\u061b\u3001]", cell):
        assert part.lstrip(' "')[:1] not in {*"=+-@\t\r\uff1d\uff0b\uff0d\uff20"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x;=1+1", "x;'=1+1"),  # a new cell in a German spreadsheet
        ('x; "=1+1', "x; \"'=1+1"),
        ("x,@SUM(1)", "x,'@SUM(1)"),
        ("x|-1", "x|'-1"),
        ("x\n+1", "x\n'+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("x\uff1b\uff0b1", "x\uff1b'\uff0b1"),
        (" =1+1", " '=1+1"),
    ],
)
def test_cells_in_cells(text: str, shown: str) -> None:
    """a sign that begins a formula is text after whatever separates cells, too"""
    assert plain(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Lovelace, Ada",
        "Participant 4711",
        "handed in 2 times; not counted: a-1.ipynb, b (2).ipynb",
        "expected x = 1, found x = 2; see a@b.c",
        "10 of 10 points (seed 3)",
        "'=1+1",
    ],
)
def test_ordinary_cells(text: str) -> None:
    """names, notes and what Canvas and Moodle read are left as they are"""
    assert plain(text) == text
