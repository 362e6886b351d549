"""The checklist has a question for each lesson, and what is handed out is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nbconvert.filters import markdown2html

from grader import catalog
from tests.accessibility.audit import problems
from tests.deploying.files import DEPLOY, ROOT

ROW = re.compile(
    r"^\| ☐ \| \[(ex\d\d)\]\(\.\./\.\./(\w+)/(\w+)\.ipynb\) [^|]+ "
    r"\| ([^|]+\?) \| \|$",
    re.MULTILINE,
)
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)\)")
PAGES = sorted(DEPLOY.glob("*.md"))
RELEASED = ROOT / "notebooks" / DEPLOY.parent.name / DEPLOY.name


def test_a_question_for_each_lesson() -> None:
    """each exercise of the course has one line, in its order, with a question"""
    rows = ROW.findall((DEPLOY / "checklist.md").read_text(encoding="utf-8"))
    stems = [folder for _, folder, _, _ in rows]
    assert [stem for stem in stems if stem in catalog.stems()] == [*catalog.stems()]
    for name, folder, file, _ in rows:
        assert folder.startswith(f"{name}_")
        assert folder == file
    assert len({question for *_, question in rows}) == len(rows)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """each link names a file beside it, or a notebook of the course"""
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        *_, name = target.split("/")
        if name.endswith(".ipynb"):
            stem = name.removesuffix(".ipynb")
            assert target == f"../../{stem}/{name}"
            planned = stem not in catalog.stems() and stem > catalog.stems()[-1]
            assert planned or (ROOT / "notebooks" / stem / name).is_file(), target
        else:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_can_be_read_aloud(path: Path) -> None:
    """headings do not skip, and tables have header cells; the boxes' column has none"""
    text = path.read_text(encoding="utf-8")
    assert problems(markdown2html(text)) == []


def test_what_is_handed_out() -> None:
    """learners get every file beside the exercise's notebook, byte for byte"""
    if not (DEPLOY.parent / f"{DEPLOY.parent.name}.py").is_file():
        assert DEPLOY.parent.name not in catalog.stems()
        return
    for path in (each for each in DEPLOY.rglob("*") if each.is_file()):
        copy = RELEASED / path.relative_to(DEPLOY)
        assert copy.read_bytes() == path.read_bytes(), copy
