"""Every built notebook can be read aloud: headings, pictures, tables and links."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbconvert.filters import markdown2html

from tests.accessibility.audit import problems

REPO = Path(__file__).parents[2]
NOTEBOOKS = sorted(REPO.glob("notebooks/*/*.ipynb"))
DRAWINGS = sorted(REPO.glob("notebooks/*/*.svg"))
VAGUE = {"here", "click here", "this", "link", "this link", "more", "read more"}


def prose(path: Path) -> str:
    """Return the words of a notebook as HTML."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    words = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
    return markdown2html("\n\n".join(words))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_can_be_read_aloud(path: Path) -> None:
    """levels of headings do not skip, pictures have words, tables have header cells"""
    assert problems(prose(path)) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_say_what_they_lead_to(path: Path) -> None:
    """the text of a link makes sense without the words around it"""
    soup = BeautifulSoup(prose(path), "html.parser")
    texts = [a.get_text(strip=True) for a in soup.find_all("a") if a.get("href")]
    assert [text for text in texts if text.lower().rstrip(".") in VAGUE] == []
    assert [text for text in texts if re.match(r"https?://", text)] == []


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.name)
def test_a_drawing_has_words_of_its_own(path: Path) -> None:
    """a drawing that is opened alone is an image with a label, or titled"""
    drawing = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").svg
    assert drawing is not None
    named = drawing.get("role") == "img" and drawing.get("aria-label")
    assert named or (drawing.title and drawing.title.get_text(strip=True))
