"""Whatever is handed in as a notebook is laid or refused, and never raises."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.autograde.intake import lay
from tests.autograde.test_intake import GRADED, RELEASED, cell, is_ours, source

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
CELL = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown"]) | JSON,
        "id": st.sampled_from([*GRADED, "submission", "setup"]) | JSON,
        "metadata": JSON | st.fixed_dictionaries({"nbgrader": JSON}),
        "source": st.sampled_from(["%%submission\nx = 1\n", ["%%sub", "mission"]])
        | JSON,
        "outputs": JSON,
    },
)


@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries({"cells": st.lists(CELL | JSON) | JSON}, optional={"x": JSON})
    | JSON
)
def test_any_json(value: Any) -> None:
    """any JSON is laid, with our cells in our order, or refused with a reason"""
    laid = lay(json.dumps(value), RELEASED)
    is_ours(laid)
    found = source(cell(laid.notebook, "submission"))
    assert laid.problem or found.startswith("%%submission")


@settings(max_examples=300, deadline=None)
@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text(text: str) -> None:
    """any text is laid, or refused with a reason, and never raises"""
    laid = lay(text, RELEASED)
    is_ours(laid)
    assert laid.problem
