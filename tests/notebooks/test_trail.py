"""From each notebook there is a way back, a way on, and a way to the map."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from grader import build, catalog, sources, trail

REPO = Path(__file__).parents[2]
NOTEBOOKS = sorted(REPO.glob("notebooks/*/*.ipynb"))
LINK = re.compile(
    r"^- (Back|Next|Map): \[([^\]]+)\]\(([^)#]+)(#[^)]+)?\)$", re.MULTILINE
)
LATER = "ex99_later"


def shown(path: Path) -> dict[str, tuple[str, Path]]:
    """Return the text and the target of each link at a notebook's end, by its word."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = [cell for cell in cells if cell["cell_type"] == "markdown"]
    found = LINK.findall("".join(prose[-1]["source"]))
    there = path.parent
    return {word: (text, (there / at).resolve()) for word, text, at, _ in found}


def test_each_notebook_leads_to_its_neighbours() -> None:
    """back is the notebook before, next the one after, and the map is in the first"""
    first, last = NOTEBOOKS[0], NOTEBOOKS[-1]
    for place, path in enumerate(NOTEBOOKS):
        links = shown(path)
        assert set(links) == {"Back", "Next", "Map"} - (
            {"Back", "Map"} if path == first else set()
        ) - ({"Next"} if path == last else set())
        for word, step in (("Back", -1), ("Next", 1)):
            if word in links:
                title, target = links[word]
                assert target == NOTEBOOKS[place + step]
                assert title == catalog.load(target.stem).title
        if "Map" in links:
            assert links["Map"][1] == first


def test_the_map_is_where_the_links_lead() -> None:
    """the first notebook has the heading of the map, and calls progress() below it"""
    cells = json.loads(NOTEBOOKS[0].read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    place = next(n for n, text in enumerate(texts) if f"## {trail.MAP}\n" in text)
    assert "progress()" in texts[place + 1]


def test_an_added_exercise_is_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    """with one more exercise the last notebook is stale, and no other one"""
    last = NOTEBOOKS[-1].stem
    before = {stem: sources.digest(REPO, stem) for stem in catalog.stems()}
    assert build.check(REPO) == []
    grown = (*catalog.stems(), LATER)
    monkeypatch.setattr(catalog, "stems", lambda: grown)
    module = sys.modules["grader.exercises." + NOTEBOOKS[0].stem]
    monkeypatch.setitem(sys.modules, f"grader.exercises.{LATER}", module)
    stale = [s for s, noted in before.items() if sources.digest(REPO, s) != noted]
    assert stale == [last]
    assert [line.partition(":")[0] for line in build.check(REPO)] == [
        f"notebooks/{last}/{last}.ipynb"
    ]
    assert f"- Next: [{catalog.load(LATER).title}](../{LATER}/" in trail.links(last)
    assert "Next" not in trail.links(LATER)
    catalog.load.cache_clear()


def test_a_notebook_of_ones_own_has_no_links() -> None:
    """what is not in the catalog has no place in the order"""
    assert trail.links("ex50_homework") == ""
