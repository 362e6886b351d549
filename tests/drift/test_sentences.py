"""What sentences.toml says of notebooks and facts is so."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "solutions"
LENGTH = 60
SENTENCES = tomllib.loads((HERE / "sentences.toml").read_text("utf-8"))
QUOTES = [
    pytest.param(stem, quote, id=f"{fact}-{number}")
    for fact, places in SENTENCES.items()
    for stem, quotes in places.items()
    for number, quote in enumerate(quotes, 1)
]


def facts() -> set[str]:
    """Return the names of all facts that a test of this folder proves."""
    found = set()
    for path in HERE.glob("test_ex*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "fact":
                found.add(ast.literal_eval(node.args[0]))
    return found


@pytest.mark.parametrize(("stem", "quote"), QUOTES)
def test_quote(stem: str, quote: str) -> None:
    """every quote is short, and stands in the notebook that is named"""
    source = SOURCES / stem / f"{stem}.py"
    # Lines of prose begin with "# " in the text form of a notebook.
    text = re.sub(r"\s+(# )?", " ", source.read_text("utf-8"))
    assert quote in text
    assert len(quote) <= LENGTH


def test_every_sentence_has_a_fact() -> None:
    """every name in sentences.toml is that of a fact which a test proves"""
    assert set(SENTENCES) <= facts()


def test_every_place_is_named() -> None:
    """every entry names at least one notebook, and at least one quote of each"""
    assert all(places and all(places.values()) for places in SENTENCES.values())
