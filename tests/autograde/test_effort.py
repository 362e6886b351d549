"""A page of a notebook is made in seconds, whatever a learner has written."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import nbformat
import pytest

from grader.autograde import effort
from grader.autograde.effort import KEPT, TEXT_LIMIT
from grader.autograde.harmless import make_harmless, readable
from grader.submissions import from_notebook
from grader.vocabulary.modules import divide
from tests.autograde.test_harmless import code, is_harmless, page, text

MIB = 1024 * 1024
NAMES = map("".join, itertools.product("abcdefghij", repeat=6))
# Each would take from minutes to days, at about the length at which a kernel is cut.
MARKUP = {
    "elements in each other": "<div>" * 200_000,
    "elements that overlap": "<p><b>" * 170_000,
    "attributes of one element": f"<p {' '.join(itertools.islice(NAMES, 140_000))}>",
    "scripts without an end": "<script " * 130_000,
    "sheets that nearly end": "<style></style" * 70_000,
}
WRITTEN = {
    "brackets": "[" * MIB,
    "links": "](" * MIB,
    "names of links": "[a]:" * MIB,
    "empty lines": "\n " * MIB,
    "stars": "*" * MIB,
    "words in bold": "**a" * MIB,
    "headings": "\n#" * MIB,
    "escapes": "\x1b[1m" * MIB,
}
pytestmark = pytest.mark.timeout(240)  # instead of hours


def display(data: dict[str, Any]) -> dict[str, Any]:
    """Return an output."""
    return {"output_type": "display_data", "metadata": {}, "data": data}


@pytest.mark.parametrize("name", MARKUP)
def test_html(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTML that takes long to read is shown as its text, and all else is shown"""
    assert len(MARKUP[name]) <= MIB
    monkeypatch.setattr(effort, "HTML_LIMIT_S", 1.0)
    shown = page(
        code(
            display({"text/html": "<b>before</b>"}),
            display({"text/html": MARKUP[name], "text/plain": "as text"}),
            *[display({"text/html": MARKUP[name], "text/plain": "again"})] * 20,
        )
    )
    is_harmless(shown)
    assert "<b>before</b>" in shown
    assert ("as text" in shown) == ("sheets" not in name and "scripts" not in name)


def test_time_for_html(monkeypatch: pytest.MonkeyPatch) -> None:
    """what reads HTML is ended where its time is over"""
    made = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {"metadata": {}, "cells": [code(display({"text/html": "<div>" * 200_000}))]}
    )
    monkeypatch.setattr(effort, "HTML_LIMIT_S", 0.5)
    began = time.thread_time()
    make_harmless(made)
    assert 0.5 <= time.thread_time() - began < 5


@pytest.mark.parametrize("kind", ["markdown", "code"])
@pytest.mark.parametrize("name", WRITTEN)
def test_texts(name: str, kind: str) -> None:
    """Markdown and code that take long to read are shown plainly, or in part"""
    long = text(kind, WRITTEN[name])
    short = text(kind, WRITTEN[name][: TEXT_LIMIT - 1])
    outputs = {"execution_count": None, "outputs": []} if kind == "code" else {}
    cells = [{**long, **outputs}, *[{**short, **outputs}] * 8]
    shown = page(*({**cell, "id": f"a{n}"} for n, cell in enumerate(cells)))
    if kind == "markdown":
        left = len(WRITTEN[name]) - KEPT
        assert f"({left} more characters are in the file as handed in.)" in shown


def test_usual_code() -> None:
    """code of a usual length is shown in colours"""
    shown = page(text("code", "def f():\n    return 1\n") | {"outputs": []})
    assert '<span class="k">def</span>' in shown


def test_long_links() -> None:
    """a long address stays, and a program spelled at length is led to no page"""
    address = f"https://example.com/{'a' * 1000}"
    assert readable(f"[see]({address})") == f"[see]({address})"
    spelled = f"javascript&#{'0' * 1000}58;alert(1)"
    assert readable(f"[see]({spelled})") == f"[see](#{spelled})"


@pytest.mark.parametrize("before", ["\n", "\n ", " \n", "%exercise ", "%exercise\n"])
def test_opened(before: str) -> None:
    """a long cell above the line that names the exercise is passed over at once"""
    sources = [before * MIB, "%exercise ex00_start_here", "%%submission\nx = 1\n"]
    cells = [{"cell_type": "code", "source": source} for source in sources]
    found = from_notebook(json.dumps({"cells": cells}))
    assert (found.stem, found.text) == ("ex00_start_here", "\nx = 1\n")


def test_long_name() -> None:
    """what is longer than a name is none"""
    sources = [f"%exercise {'a' * MIB}", "%%submission\n"]
    cells = [{"cell_type": "code", "source": source} for source in sources]
    assert from_notebook(json.dumps({"cells": cells})).stem == ""


@pytest.mark.parametrize("gap", [" ", "\t"])
def test_lines_that_name_modules(gap: str) -> None:
    """a line that begins like one is looked at once"""
    line = f"# === module{gap * MIB}x y"
    assert divide(line)[0].text == line


def test_half_a_pair() -> None:
    """what UTF-8 cannot hold is written as a question mark, and loses no notebook"""
    half = "\ud800"
    stream = {"output_type": "stream", "name": "stdout", "text": f"a{half}"}
    error = {"output_type": "error", "ename": half, "evalue": half, "traceback": [half]}
    outputs = [stream, error, display({"text/plain": half, "text/html": half})]
    made = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code(*outputs)]}
    )
    make_harmless(made)
    assert '"a?"' in nbformat.writes(made).encode().decode()  # type: ignore[no-untyped-call]
