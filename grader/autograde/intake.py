"""Lays what a learner wrote into the notebook as it was released.

What is graded is always our notebook: its cells, their order, metadata and points.
A submitted file gives nothing but texts, so no change of anything else in it counts.
"""

from __future__ import annotations

import copy
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.harness.limits import SOURCE_LIMIT_B
from grader.submissions import FILE_LIMIT_B, MAGIC, BadInput, from_notebook, writable

CELLS_LIMIT = 500  # of the learner's own that are shown
KINDS = ("code", "markdown", "raw")


@dataclass(frozen=True, slots=True)
class Given:
    """One cell of a submitted notebook: all that is taken from it."""

    kind: str
    names: frozenset[str]  # by which it says that it is one of ours
    text: str


@dataclass(frozen=True, slots=True)
class Laid:
    """A notebook to be graded; `problem` says why it cannot be judged."""

    notebook: dict[str, Any]
    notes: tuple[str, ...] = ()  # what was changed that learners do not change
    problem: str = ""
    help: str = ""


def content(path: Path) -> str:
    """Return the text of a file that a learner handed in, read as what it is.

    A symbolic link could lead to another learner's work, a pipe would never end.

    Raises:
        BadInput: it is not a file of text of a size that can be graded.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except OSError as problem:
        found = "a symbolic link" if path.is_symlink() else str(problem.strerror)
        raise BadInput(f"expected a notebook, found {found}") from None
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode):
        os.close(handle)
        raise BadInput("expected a notebook, found a folder, a pipe or a device")
    with os.fdopen(handle, "rb") as file:
        data = file.read(FILE_LIMIT_B + 1)
    if len(data) > FILE_LIMIT_B:
        raise BadInput(
            f"expected a notebook of at most {FILE_LIMIT_B} bytes, "
            f"found {about.st_size} bytes",
            "clear its outputs, save it, and hand it in again",
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BadInput(
            f"expected text in UTF-8, found a byte that is not at {problem.start}"
        ) from None


def lay(text: str | BadInput, released: dict[str, Any]) -> Laid:
    """Return the released notebook with the texts of a submitted one in it.

    Args:
        text: the submitted notebook's, or why there is none.
        released: the notebook in the notebook format, as JSON has it.
    """
    problem = help = submission = ""
    try:
        if isinstance(text, BadInput):
            raise text
        submission = f"{MAGIC}{bounded(from_notebook(text).text)}"
    except BadInput as bad:
        problem, help = str(bad), bad.help
        lines = [*problem.splitlines(), *help.splitlines()]
        submission = "\n".join(f"# {line}" for line in lines)
    given = list(_cells(text)) if isinstance(text, str) else []
    ours = [cell for cell in released["cells"] if "nbgrader" in cell["metadata"]]
    placed = {cell["id"]: copy.deepcopy(cell) for cell in ours}
    for cell in placed.values():
        about = cell["metadata"]["nbgrader"]
        if _source(cell).startswith(MAGIC) and about["solution"]:
            cell["source"] = submission
        elif about["solution"]:
            cell["source"] = _answer(given, cell)
    cells = list(_merged(given, placed, keep_all=bool(problem)))
    notebook = {**copy.deepcopy(released), "cells": cells}
    return Laid(notebook, tuple(_changes(given, ours)), problem, help)


def bounded(text: str) -> str:
    """Return a submission's text.

    Raises:
        BadInput: it is longer than one that is judged.
    """
    size = len(text.encode("utf-8"))
    if size > SOURCE_LIMIT_B:
        raise BadInput(
            f"expected a submission of at most {SOURCE_LIMIT_B} bytes, "
            f"found {size} bytes"
        )
    return text


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _cells(text: str) -> Iterator[Given]:
    """Yield the cells that can be read, and no other."""
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    for cell in cells if isinstance(cells, list) else ():
        if not isinstance(cell, dict):
            continue
        try:
            source = writable(cell["source"])
        except (KeyError, TypeError, AttributeError):
            continue
        about = cell.get("metadata")
        about = about.get("nbgrader") if isinstance(about, dict) else None
        name = about.get("grade_id") if isinstance(about, dict) else None
        names = {each for each in (cell.get("id"), name) if isinstance(each, str)}
        kind = cell.get("cell_type")
        yield Given(kind if kind in KINDS else "raw", frozenset(names), source)


def _answer(given: list[Given], cell: dict[str, Any]) -> str:
    """Return what was written in place of a released text, which may be nothing."""
    texts = [each.text for each in given if cell["id"] in each.names]
    written = [text for text in texts if text.strip() != _source(cell).strip()]
    return (written or [_source(cell)])[0]


def _merged(
    given: list[Given], placed: dict[str, dict[str, Any]], keep_all: bool
) -> Iterator[dict[str, Any]]:
    """Yield our cells in our order, each once, and the learner's around them."""
    left = dict(placed)
    own = 0
    for each in given:
        named = next((name for name in placed if name in each.names), "")
        if named:
            while named in left:
                yield left.pop(next(iter(left)))
        is_submission = each.text.lstrip().startswith(MAGIC)
        if (named or is_submission) and not (keep_all and is_submission):
            continue
        own += 1
        if own <= CELLS_LIMIT:
            yield _plain(each, f"own-{own}")
    yield from left.values()


def _plain(given: Given, name: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": given.kind, "id": name, "metadata": {}}
    cell["source"] = given.text
    if given.kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell


def _changes(given: list[Given], ours: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each locked cell that is not as it was released."""
    for cell in ours if given else ():
        if cell["metadata"]["nbgrader"]["solution"]:
            continue
        name, found = cell["id"], [g for g in given if cell["id"] in g.names]
        if not found:
            yield f"the cell {name} was missing"
        elif len(found) > 1:
            yield f"the cell {name} was there {len(found)} times"
        elif found[0].kind != cell["cell_type"]:
            yield f"the cell {name} had become a {found[0].kind} cell"
        elif found[0].text != _source(cell):
            yield f"the cell {name} had been changed"
