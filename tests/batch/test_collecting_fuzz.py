"""Whatever bytes, names and zips arrive, they are read or refused in words."""

from __future__ import annotations

import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.batch import naming
from grader.submissions import BadInput, from_bytes
from tests.batch.arrivals import BOOK, found
from tests.batch.classroom import OTHER, STEM


def read_or_refused(content: bytes) -> bool:
    """Return whether a notebook is read, or refused in words."""
    try:
        return isinstance(from_bytes(content, Path("a.ipynb")).text, str)
    except BadInput as problem:
        return "expected" in str(problem)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "cell_type", "source", "metadata"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(JSON | st.just({"cells": [{"cell_type": "code", "source": "%%submission"}]}))
def test_fuzz_notebooks(data: Any) -> None:
    """whatever JSON a notebook is, it is a submission or has a clear reason"""
    assert read_or_refused(json.dumps(data).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_fuzz_bytes(content: bytes) -> None:
    """whatever bytes a notebook is, it is a submission or has a clear reason"""
    assert read_or_refused(content)


NAMES = st.lists(
    st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=20)
    | st.sampled_from([STEM, OTHER, "submitted", "_1_2_", "a_LATE_1_2_b.py", "(1).py"]),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(NAMES, st.lists(st.text(max_size=8), max_size=3), st.text(max_size=10))
def test_fuzz_names(parts: list[str], above: list[str], prefix: str) -> None:
    """every path has an author, and at most one exercise of the course"""
    owner = naming.owner(naming.Place(tuple(above), prefix), tuple(parts))
    assert owner.author
    assert owner.stem in {"", *naming.catalog.stems()}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_fuzz_zips(
    tmp_path_factory: pytest.TempPathFactory, seed: int, many: int
) -> None:
    """a zip with damaged bytes is read or refused, member by member, and never more"""
    rng = random.Random(seed)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(f"ada/{STEM}.ipynb", BOOK)
        made.writestr(f"bob/{STEM}.ipynb", BOOK)
    data = bytearray(buffer.getvalue())
    for _ in range(many):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path = tmp_path_factory.mktemp("zip") / "c.zip"
    path.write_bytes(data[: rng.randrange(len(data) // 2, len(data) + 1)])
    for one in found(path):
        assert one.problem or one.text
