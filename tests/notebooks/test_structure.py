"""Every notebook has the parts, the sizes and the words that this course promises."""

import json
import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader import catalog
from grader.sources import read
from grader.vocabulary.modules import divide

REPO = Path(__file__).parents[2]
NOTEBOOKS = sorted(REPO.glob("notebooks/*/*.ipynb"))
SECTIONS = ("Predict", "Observe", "Explain", "Fix", "Check")
LATER = ("Vary", "In production", "Reflect")
BANNED = re.compile(r"\b(simply|just|obviously|of course)\b", re.IGNORECASE)
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]*)\)")
STUB = "*Write your answer here.*"
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*)\n### END HIDDEN TESTS")
CLAIMS = re.compile(r"word for word:\n\n((?:- .+\n)+)")
WEB = re.compile(r"https://[a-z0-9.-]+\.[a-z]+(/[^\s]*)?")
Cell = dict[str, Any]

# A tour of a page has everything of one but questions that a person grades.
TOUR = "ex00_start_here"
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_every_exercise_has_a_notebook() -> None:
    """exercises and notebooks are the same set"""
    assert list(catalog.stems()) == [path.stem for path in NOTEBOOKS]


@each_notebook
def test_one_title_and_the_sections_in_order(path: Path) -> None:
    """one H1; Predict to Next as H2 in order; a tour may leave some out"""
    levels = list(_headings(path))
    assert [title for level, title in levels if level == 1] == [levels[0][1]]
    required = [*SECTIONS, *(() if path.stem == TOUR else LATER), "Summary", "Next"]
    found = [title for level, title in levels if level == 2 and title in required]
    assert required == found


@each_notebook
def test_heading_levels_never_skip(path: Path) -> None:
    """a heading is at most one level deeper than the one before"""
    before = 0
    for level, title in _headings(path):
        assert level <= before + 1, title
        before = level


@each_notebook
def test_no_cell_is_empty_or_has_run(path: Path) -> None:
    """no empty cell, no stored output, no execution count"""
    for cell in _cells(path):
        assert _text(cell).strip(), cell["id"]
        assert not cell.get("outputs"), cell["id"]
        assert cell.get("execution_count") is None, cell["id"]


@each_notebook
def test_cells_are_few_and_small(path: Path) -> None:
    """at most 30 cells; code of 5 lines in the median, 15 at most, a submission 60 or,
    where it is several modules, each of them"""
    cells = _cells(path)
    assert len(cells) <= 30
    sizes = {
        cell["id"]: len(_text(cell).splitlines())
        for cell in cells
        if cell["cell_type"] == "code"
    }
    del sizes["submission"]
    submission = next(_text(cell) for cell in cells if cell["id"] == "submission")
    for module in divide(f"\n{submission.partition(chr(10))[2]}"):
        assert len(module.text.strip().splitlines()) <= 60, module.name
    assert statistics.median(sizes.values()) <= 5
    assert {name: size for name, size in sizes.items() if size > 15} == {}


@each_notebook
def test_every_picture_has_alt_text(path: Path) -> None:
    """what a picture shows is said in words too"""
    for cell in _prose(path):
        text = _text(cell)
        for image, alt, target in LINK.findall(text):
            assert not image or alt.strip(), target
        for tag in re.findall(r"<img\b[^>]*>", text):
            assert re.search(r'\balt="[^"]+"', tag), tag


@each_notebook
def test_no_word_belittles_the_reader(path: Path) -> None:
    """what is hard to a reader is never called simple"""
    found = [
        (cell["id"], word)
        for cell in _prose(path)
        for word in BANNED.findall(_text(cell))
    ]
    assert found == []


@each_notebook
def test_links_lead_somewhere(path: Path) -> None:
    """a relative link names a file that is there; others are https"""
    for cell in _prose(path):
        for _, label, target in LINK.findall(_text(cell)):
            address, _, fragment = target.partition("#")
            assert target, label
            assert label.strip(), target
            if address.startswith("attachment:"):
                assert address.partition(":")[2] in cell.get("attachments", {})
            elif ":" in address:
                assert WEB.fullmatch(address), target
            else:
                there = path.parent / address if address else path
                assert there.exists(), target
                titles = {t.replace(" ", "-") for _, t in _headings(there)}
                assert not fragment or fragment in titles, target


@each_notebook
def test_one_graded_cell_for_each_check(path: Path) -> None:
    """checks and points of the notebook are those of the exercise"""
    checks = catalog.load(path.stem).checks.values()
    graded = [cell for cell in _cells(path) if _is_test(cell)]
    assert [(check.name, check.points) for check in checks] == [
        (
            cell["metadata"]["nbgrader"]["grade_id"],
            cell["metadata"]["nbgrader"]["points"],
        )
        for cell in graded
    ]
    for cell in graded:
        assert f'grade("{cell["id"]}")' == _text(cell)


@each_notebook
def test_the_claims_are_those_that_are_judged(path: Path) -> None:
    """what stands below "word for word" is what the checks claim, in their order"""
    text = "\n".join(f"{_text(cell)}\n" for cell in _prose(path))
    (listed,) = CLAIMS.findall(text)
    claims = [check.claim for check in catalog.load(path.stem).checks.values()]
    assert claims == re.findall(r"^- (.+)$", listed, re.MULTILINE)


@each_notebook
def test_one_question_is_answered_in_words(path: Path) -> None:
    """a person grades one cell, the one below Reflect, in the file with no answer; the
    source has there a good answer and for what each third is given"""
    cells = _cells(path)
    manual = [n for n, cell in enumerate(cells) if _is_manual(cell)]
    assert len(manual) == (path.stem != TOUR)
    for number in manual:
        cell = cells[number]
        assert cell["cell_type"] == "markdown"
        assert _text(cell) == STUB
        assert cell["metadata"]["nbgrader"]["points"] == 0, "as README says"
        asked = _text(cells[number - 1]).rpartition("\n## ")[2]
        assert asked.startswith("Reflect\n")
        assert "Answer in at most 80 words." in asked
        (model,) = (_text(cell) for cell in _source(path) if _is_manual(cell))
        answer, _, rubric = model.partition("\n\n**For grading.** ")
        assert answer.startswith("**A good answer.** ")
        assert len(answer.split()) - 3 <= 80, "as the question asks for"
        assert rubric.count(": one third") == 3
        _is_nowhere(path, [*filter(None, model.split("\n")), "For grading"])


@each_notebook
def test_hidden_tests_stay_with_the_teacher(path: Path) -> None:
    """in the source each check has a second run, hidden; learners get none of these"""
    graded = [cell for cell in _source(path) if _is_test(cell)]
    assert [cell["id"] for cell in graded] == [*catalog.load(path.stem).checks]
    for cell in graded:
        shown, _, rest = _text(cell).partition("\n")
        assert shown == f'grade("{cell["id"]}")'
        hidden = f'grade("{cell["id"]}", hidden=True)'
        assert HIDDEN.findall(rest) == [hidden]
        _is_nowhere(path, [hidden, "HIDDEN TESTS"])


@each_notebook
def test_the_magics_name_this_exercise(path: Path) -> None:
    """the notebook checks its own exercise"""
    code = [_text(cell) for cell in _cells(path) if cell["cell_type"] == "code"]
    named = re.findall(r"^%exercise (\w+)$", "\n".join(code), re.MULTILINE)
    assert [path.stem] == named


def _cells(path: Path) -> list[Cell]:
    cells: list[Cell] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


def _source(path: Path) -> list[Cell]:
    """Return the cells of the source notebook, which is made of a text."""
    text = REPO / "solutions" / path.stem / f"{path.stem}.py"
    cells: list[Cell] = read(text, text.name)["cells"]
    return cells


def _is_nowhere(path: Path, secrets: list[str]) -> None:
    """Nothing that a learner gets with this notebook holds one of these."""
    given = [*map(_text, _cells(path))]
    given += [
        file.read_text(encoding="utf-8")
        for file in path.parent.rglob("*")
        if file.is_file() and file.suffix != ".ipynb"
    ]
    assert [each for each in secrets if each in "\n".join(given)] == []


def _prose(path: Path) -> list[Cell]:
    return [cell for cell in _cells(path) if cell["cell_type"] == "markdown"]


def _text(cell: Cell) -> str:
    return "".join(cell["source"])


def _is_test(cell: Cell) -> bool:
    about = cell["metadata"].get("nbgrader", {})
    return bool(about.get("grade") and not about["solution"])


def _is_manual(cell: Cell) -> bool:
    """Whether nbgrader gives the cell to a person: it is answered, and graded."""
    about = cell["metadata"].get("nbgrader", {})
    return bool(about.get("grade") and about["solution"])


def _headings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield level and title of all headings; a `#` in a code block is none."""
    for cell in _prose(path) if path.suffix == ".ipynb" else ():
        prose = re.sub(r"^```.*?^```", "", _text(cell), flags=re.DOTALL | re.MULTILINE)
        for marks, title in re.findall(r"^(#{1,6}) +(.+?)\s*$", prose, re.MULTILINE):
            yield len(marks), title
