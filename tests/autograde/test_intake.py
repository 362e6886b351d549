"""What a submitted notebook is read as, whatever was done to it."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grader.autograde.intake import CELLS_LIMIT, Laid, content, lay
from grader.submissions import FILE_LIMIT_B, BadInput

ROOT = Path(__file__).parents[2]
STEM = "ex04_memory_saver"
RELEASE = ROOT / "notebooks" / STEM / f"{STEM}.ipynb"
RELEASED: dict[str, Any] = json.loads(RELEASE.read_text(encoding="utf-8"))
GRADED = [
    c["id"] for c in RELEASED["cells"] if c["metadata"].get("nbgrader", {}).get("grade")
]
TESTS = [name for name in GRADED if name != "reflect"]
ANSWER = "def chat(thread_id, text):\n    return 'Ada'\n"
Change = Callable[[dict[str, Any]], None]


def submitted() -> dict[str, Any]:
    """Return the released notebook with an answer in it."""
    notebook = copy.deepcopy(RELEASED)
    cell(notebook, "submission")["source"] = f"%%submission\n{ANSWER}"
    return notebook


def cell(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a cell by its id."""
    found: dict[str, Any] = next(c for c in notebook["cells"] if c["id"] == name)
    return found


def source(each: dict[str, Any]) -> str:
    """Return a cell's text."""
    return "".join(each["source"])


def ours(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells that nbgrader knows, without the learner's texts."""
    found = copy.deepcopy([c for c in notebook["cells"] if "nbgrader" in c["metadata"]])
    for each in found:
        each["source"] = "" if each["id"] in {"submission", "reflect"} else source(each)
    return found


def is_ours(laid: Laid) -> None:
    """Assert that our cells are ours, once each, in our order, and the file valid."""
    assert ours(laid.notebook) == ours(RELEASED)
    nbformat.validate(nbformat.from_dict(laid.notebook))
    json.dumps(laid.notebook, ensure_ascii=False).encode("utf-8")


def change(field: str, value: Any) -> Change:
    """Return what changes one field of nbgrader's in each cell that has them."""

    def changed(notebook: dict[str, Any]) -> None:
        for each in notebook["cells"]:
            if "nbgrader" in each["metadata"]:
                each["metadata"]["nbgrader"][field] = value

    return changed


def in_all(field: str, value: Any) -> Change:
    """Return what changes one field of each cell."""

    def changed(notebook: dict[str, Any]) -> None:
        for number, each in enumerate(notebook["cells"]):
            each[field] = value(number) if callable(value) else value

    return changed


def at_the_top(notebook: dict[str, Any]) -> None:
    """Move the graded cells before everything else."""
    graded = [c for c in notebook["cells"] if c["id"] in TESTS]
    rest = [c for c in notebook["cells"] if c["id"] not in TESTS]
    notebook["cells"] = [*reversed(graded), *rest]


CHANGES: dict[str, Change] = {
    "grade": change("grade", False),
    "grade_id": change("grade_id", "another"),
    "grade_id_no_text": change("grade_id", ["x"]),
    "points": change("points", 1000),
    "points_negative": change("points", -1),
    "locked": change("locked", False),
    "solution": change("solution", True),
    "task": change("task", True),
    "schema_version": change("schema_version", 99),
    "schema_version_text": change("schema_version", "x"),
    "cell_type_noted": change("cell_type", "raw"),
    "checksum": change("checksum", "0"),
    "tags": in_all("metadata", {"tags": ["skip-execution"]}),
    "no_metadata": in_all("metadata", None),
    "ids": in_all("id", lambda number: f"id-{number}"),
    "one_id": in_all("id", "submission"),
    "no_outputs": in_all("outputs", None),
    "attachments": in_all("attachments", {"x": 1}),
    "kernelspec": lambda n: n.update(metadata={"kernelspec": {"name": "bash"}}),
    "language": lambda n: n.update(metadata={"language_info": {"name": "R"}}),
    "no_metadata_at_all": lambda n: n.pop("metadata"),
    "nbformat": lambda n: n.update(nbformat=99, nbformat_minor="x"),
    "doubled": lambda n: n["cells"].extend(copy.deepcopy(n["cells"])),
    "moved": at_the_top,
    "reversed": lambda n: n["cells"].reverse(),
    "deleted": lambda n: n.update(cells=[cell(n, "submission")]),
    "retyped": lambda n: [cell(n, t).update(cell_type="markdown") for t in TESTS],
    "submission_retyped": lambda n: cell(n, "submission").update(cell_type="raw"),
    "unknown_type": lambda n: [cell(n, t).update(cell_type="x") for t in TESTS],
    "edited": lambda n: [cell(n, t).update(source="3.0") for t in TESTS],
    "broken_cells": lambda n: n["cells"].extend([None, 1, {}, {"source": 1}, []]),
    "surrogates": lambda n: cell(n, "title").update(source="\ud800"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_notebook(name: str) -> None:
    """whatever else was changed, the answer is found, and all the rest is ours"""
    notebook = submitted()
    CHANGES[name](notebook)
    laid = lay(json.dumps(notebook), RELEASED)
    assert laid.problem == ""
    assert source(cell(laid.notebook, "submission")) == f"%%submission\n{ANSWER}"
    is_ours(laid)


def test_untouched_notebook() -> None:
    """a notebook in which only the answer was written is laid as it is, unnoted"""
    laid = lay(json.dumps(submitted()), RELEASED)
    expected = [source(c) for c in submitted()["cells"]]
    assert [source(c) for c in laid.notebook["cells"]] == expected
    assert laid.notes == ()


@pytest.mark.parametrize(
    ("name", "note"),
    {
        "deleted": "was missing",
        "doubled": "was there 2 times",
        "retyped": "had become a markdown cell",
        "edited": "had been changed",
    }.items(),
)
def test_notes(name: str, note: str) -> None:
    """each graded cell that is not as it was released is named, with what was done"""
    notebook = submitted()
    CHANGES[name](notebook)
    notes = lay(json.dumps(notebook), RELEASED).notes
    assert {f"the cell {test} {note}" for test in TESTS} <= set(notes)


def test_own_cells_stay_in_place() -> None:
    """what a learner has written around our cells is shown where it stood"""
    notebook = submitted()
    own = {"cell_type": "code", "source": "1 + 1", "metadata": {"tags": ["x"]}}
    at = [c["id"] for c in notebook["cells"]].index("submission") + 1
    notebook["cells"].insert(at, own)
    notebook["cells"] += [own] * 2 * CELLS_LIMIT
    laid = lay(json.dumps(notebook), RELEASED)
    assert source(laid.notebook["cells"][at]) == "1 + 1"
    assert laid.notebook["cells"][at]["metadata"] == {}
    assert len(laid.notebook["cells"]) < len(notebook["cells"])
    is_ours(laid)


def test_written_answers() -> None:
    """an answer in words is taken over, and one not given is as it was released"""
    notebook = submitted()
    cell(notebook, "reflect")["source"] = "Because."
    laid = lay(json.dumps(notebook), RELEASED)
    assert source(cell(laid.notebook, "reflect")) == "Because."
    untouched = lay(json.dumps(submitted()), RELEASED)
    expected = source(cell(RELEASED, "reflect"))
    assert source(cell(untouched.notebook, "reflect")) == expected


def test_two_submissions() -> None:
    """of two submissions that differ none is chosen, and a person sees both"""
    notebook = submitted()
    other = copy.deepcopy(cell(notebook, "submission"))
    other["source"] += "# another"
    notebook["cells"].append(other)
    laid = lay(json.dumps(notebook), RELEASED)
    assert "found 2 that differ" in laid.problem
    texts = [source(c) for c in laid.notebook["cells"]]
    assert {f"%%submission\n{ANSWER}", f"%%submission\n{ANSWER}# another"} <= set(texts)
    assert "found 2 that differ" in source(cell(laid.notebook, "submission"))
    is_ours(laid)


def test_submission_too_long() -> None:
    """a submission beyond the limit is refused before anything is run"""
    notebook = submitted()
    cell(notebook, "submission")["source"] = "%%submission\n" + "#" * (1 << 20)
    laid = lay(json.dumps(notebook), RELEASED)
    assert "expected a submission of at most" in laid.problem
    is_ours(laid)


@pytest.mark.parametrize("name", ["link", "pipe", "folder", "large", "bytes", "none"])
def test_files(tmp_path: Path, name: str) -> None:
    """what is no file of text is refused at once: no wait, no other file's content"""
    path = tmp_path / "notebook.ipynb"
    if name == "link":
        (tmp_path / "other").write_text("{}")
        path.symlink_to(tmp_path / "other")
    elif name == "pipe":
        os.mkfifo(path)
    elif name == "folder":
        path.mkdir()
    elif name == "large":
        with path.open("wb") as file:
            file.truncate(FILE_LIMIT_B + 1)
    elif name == "bytes":
        path.write_bytes(b"\xff")
    with pytest.raises(BadInput, match=r"^expected .*, found "):
        content(path)
