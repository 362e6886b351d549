"""What a kernel or a learner writes runs nowhere, and breaks no notebook."""

from __future__ import annotations

from functools import cache
from typing import Any

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter

from grader.autograde.harmless import make_harmless

RUNS = "<script>alert(1)</script><img src=x onerror=alert(1)>"
BREAKS_OUT = f'">{RUNS}'
DATA: dict[str, dict[str, Any]] = {
    "html": {"text/html": RUNS},
    "a frame": {"text/html": "<iframe srcdoc='<script>alert(1)</script>'></iframe>"},
    "a link": {"text/html": "<a href='java&#115;cript:alert(1)'>see</a>"},
    "latex": {"text/latex": RUNS},
    "markdown": {"text/markdown": f"{RUNS} [see](javascript:alert(1))"},
    "an image": {"image/png": BREAKS_OUT},
    "a drawing": {"image/svg+xml": "<svg onload='alert(1)'></svg>"},
    "a program": {"application/javascript": "alert(1)"},
    "a number": {"text/plain": 5, "text/html": None},
    "nothing": {},
}
TEXTS = {
    "a tag": RUNS,
    "a link": "[see](javascript:alert(1))",
    "a spelled link": "[see](java&#115;cript:alert(1)) [or]( <javascript:alert(1)>)",
    "a named link": "[see]\n\n[see]: javascript:alert(1)",
    "one named in a list": "- [a]: javascript:alert(1)\n\n[see][a]",
    "one named in a quote": "> [a]:\n> javascript:alert(1)\n\n[see][a]",
    "one with brackets": "[a\\]b]: javascript:alert(1)\n\n[see][a\\]b]",
}


@cache
def exporter() -> HTMLExporter:
    """What makes pages of notebooks, which takes a while to make."""
    return HTMLExporter()


def page(*cells: Any, **metadata: Any) -> str:
    """Return the page of a notebook, as feedback and formgrader show it."""
    made = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": [*cells]}
    )
    make_harmless(made)
    nbformat.validate(made)
    shown, _ = exporter().from_notebook_node(made)
    body: str = shown[shown.rindex("<body") :]
    return body


def code(*outputs: Any, count: Any = 1) -> dict[str, Any]:
    """Return a cell of code that has shown something."""
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "1"}
    return {**cell, "execution_count": count, "outputs": [*outputs]}


def text(kind: str, source: str) -> dict[str, Any]:
    """Return a cell of a learner's own."""
    return {"cell_type": kind, "id": "a", "metadata": {}, "source": source}


def is_harmless(shown: str) -> None:
    """Fail where a page holds a program; as text, it may be shown."""
    for program in ("<script>alert", "onerror=", 'onerror="', "onload=", "<iframe"):
        assert program not in shown.replace("onerror=alert(1)&gt;", "")
    assert 'href="javascript:' not in shown


@pytest.mark.parametrize("name", DATA)
def test_outputs(name: str) -> None:
    """nothing that a kernel can send runs in the page that shows it"""
    for kind in ("display_data", "execute_result"):
        output = {"output_type": kind, "data": DATA[name], "metadata": {}}
        is_harmless(page(code({**output, "execution_count": 1})))


def test_metadata() -> None:
    """neither an output's nor the notebook's metadata end an attribute or a script"""
    given = {"image/png": {"width": BREAKS_OUT}}
    output = {"output_type": "display_data", "metadata": given}
    output["data"] = {"image/png": "aGk="}
    is_harmless(page(code(output), widgets={"x": {"state": f"</script>{RUNS}"}}))


@pytest.mark.parametrize("kind", ["markdown", "raw"])
@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str, kind: str) -> None:
    """what a learner writes beside code is shown, and does not run"""
    is_harmless(page(text(kind, TEXTS[name])))


@pytest.mark.parametrize(
    "forged",
    [
        {"output_type": "execute_result", "data": "x", "metadata": {}},
        {"output_type": "stream", "name": 5, "text": ["a", 1]},
        {"output_type": "error", "ename": 1, "evalue": None, "traceback": "x"},
        {"output_type": "other"},
        {},
    ],
)
def test_forms(forged: dict[str, Any]) -> None:
    """a message of another form becomes an output, and loses no notebook"""
    is_harmless(page(code(forged, count="<b>")))


def test_what_is_meant_well_stays() -> None:
    """a table, a timeline's picture and a comparison are shown as they were"""
    table = '<table><tr><th scope="row">#1</th></tr></table>'
    picture = '<img alt="a run" src="data:image/svg+xml;base64,aGk=">'
    output = {"output_type": "display_data", "metadata": {}}
    output["data"] = {"text/html": table + picture}
    own = text("markdown", "`a < b`, [so](https://example.com)")
    shown = page(code(output), own | {"id": "b"})
    assert '<th scope="row">#1</th>' in shown
    assert "data:image/svg+xml;base64,aGk=" in shown
    assert "<code>a &lt; b</code>" in shown
    assert 'href="https://example.com"' in shown
