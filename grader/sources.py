"""Turns the text of an exercise, jupytext's py:percent, into its source notebook."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grader import trail
from grader.cells import Cell, Place, SourceError, expand, to_starter

HEADER = re.compile(r'# %%( \[markdown\])?( \w+=("[^"]*"|\d+(\.\d+)?))*\s*')
CELL_MARK = re.compile(r"\s*#\s*%%+(\s.*)?")

# Names in solutions/<stem>/ that the build makes and never reads.
MADE = ("*.ipynb", "starter.py", "__pycache__", ".ipynb_checkpoints")
# The build's notes are a cache like Python's own, and ignored by git like it.
NOTES = Path("__pycache__", "build.json")
MACHINERY = ("build.py", "cells.py", "nbgrader_hooks.py", "sources.py", "trail.py")

METADATA: Mapping[str, Mapping[str, str]] = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    # Without a version, so that every Python builds the same bytes.
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
    },
}


def read(path: Path, file: str) -> dict[str, Any]:
    """Return the source notebook whose text is at `path`, in the notebook format.

    Args:
        path: `solutions/exNN_stem/exNN_stem.py`.
        file: how errors name it.

    Raises:
        SourceError: the text cannot be built.
    """
    import jupytext  # slow, and most commands have nothing to build

    text = path.read_text(encoding="utf-8")
    places = _headers(text, file)
    # Magics are uncommented from a list of our own: jupytext would also take a
    # comment such as `# ls` for a command.
    percent = {"extension": ".py", "format_name": "percent", "comment_magics": False}
    found = jupytext.reads(text, fmt=percent).cells
    if len(found) != len(places) or not places:
        raise Place(file, 1).error(
            f"one cell for each of {len(places)} headers, and at least one",
            f"{len(found)} cells",
            "put all text below a header such as `# %% [markdown]`",
        )
    cells = []
    for index, (cell, place) in enumerate(zip(found, places, strict=True)):
        options = {k: v for k, v in cell.metadata.items() if k[:6] != "lines_"}
        cells.append(expand(cell.cell_type, options, cell.source, place, index))
    _check_all(cells, places)
    return {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def generated(folder: Path) -> dict[str, bytes]:
    """Return the files that the text in `solutions/<stem>` stands for, by name.

    Raises:
        SourceError: the text cannot be built.
    """
    stem = folder.name
    notebook = read(folder / f"{stem}.py", f"solutions/{stem}/{stem}.py")
    _lead_on(notebook["cells"], stem)
    submission = next(c for c in notebook["cells"] if c["id"] == "submission")
    # The first line, a magic in the notebook, keeps the line numbers the same.
    _, _, starter = to_starter(submission["source"]).partition("\n")
    first = f"# The starter of {stem}, made by `python -m grader build`."
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    return {
        f"{stem}.ipynb": text.encode(),
        "starter.py": f"{first}\n{starter}\n".encode(),
    }


def refresh(root: Path) -> list[Path]:
    """Bring all stale source notebooks and starters up to date, and return them.

    A notebook is stale when its text changed, or the code that reads it did; with
    nothing stale this takes milliseconds, so nbgrader's configuration calls it.

    Raises:
        SourceError: a text cannot be built; the others are up to date.
    """
    changed, errors = [], []
    for stem in stems(root):
        folder = root / "solutions" / stem
        state = digest(root, stem)
        made = [folder / f"{stem}.ipynb", folder / "starter.py"]
        if notes(folder).get("inputs") == state and all(p.exists() for p in made):
            continue
        try:
            files = generated(folder)
        except SourceError as error:
            errors.append(str(error))
            continue
        changed += [p for p in made if write(p, files[p.name])]
        write(folder / NOTES, json.dumps({"inputs": state}).encode())
    if errors:
        raise SourceError("\n".join(errors))
    return changed


def stems(root: Path) -> list[str]:
    """Return the names of all exercises that have a source, in order."""
    return sorted(
        path.parent.name
        for path in root.glob("solutions/ex*/ex*.py")
        if path.stem == path.parent.name
    )


def inputs(folder: Path) -> list[Path]:
    """Return the files in `solutions/<stem>` that somebody wrote."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(
            Path(part).match(pattern)
            for part in path.relative_to(folder).parts
            for pattern in MADE
        )
    )


def digest(root: Path, stem: str) -> str:
    """Return a digest of all that a notebook is made from."""
    files = [Path(__file__).parent / name for name in MACHINERY]
    files += [root / "nbgrader_config.py", *inputs(root / "solutions" / stem)]
    sha = hashlib.sha256(trail.links(stem).encode())
    for path in files:
        content = path.read_bytes() if path.exists() else b""
        sha.update(f"{path.name} {len(content)}\n".encode() + content)
    return sha.hexdigest()


def notes(folder: Path) -> dict[str, str]:
    """Return what the last build of `solutions/<stem>` wrote down."""
    try:
        noted: dict[str, str] = json.loads((folder / NOTES).read_text())
    except (OSError, ValueError):
        return {}
    return noted


def write(path: Path, content: bytes) -> bool:
    """Replace a file as one act, and return whether it changed."""
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).chmod(0o644)  # mkstemp's 0600 would hide it from a teacher's group
    Path(name).replace(path)
    return True


def _lead_on(cells: Iterable[Cell], stem: str) -> None:
    """Put the links to a notebook's neighbours below its last words."""
    links = trail.links(stem)
    prose = [cell for cell in cells if cell["cell_type"] == "markdown"]
    if links and prose:
        prose[-1]["source"] += f"\n\n{links}"


def _headers(text: str, file: str) -> list[Place]:
    """Return where the cells start; refuse what only resembles a header."""
    places: list[Place] = []
    for number, line in enumerate(text.splitlines(), start=1):
        place = Place(file, number)
        if HEADER.fullmatch(line):
            places.append(place)
        elif CELL_MARK.fullmatch(line):
            raise place.error(
                'a cell header such as `# %%` or `# %% [markdown] id="incident"`',
                f"`{line.strip()}`",
                "write the header so, or word the comment without %%",
            )
        elif line.strip() and not places:
            raise place.error("a cell header first", f"`{line}`", "move it below one")
    return places


def _check_all(cells: Iterable[Cell], places: Iterable[Place]) -> None:
    """Refuse two cells of one id, and any count of submissions but one."""
    seen: dict[str, Place] = {}
    for cell, place in zip(cells, places, strict=True):
        name = cell["id"]
        if name in seen:
            raise place.error(
                "an id of its own for each cell",
                f"{name!r}, which line {seen[name].line} has too",
                "rename one of them",
            )
        seen[name] = place
    if "submission" not in seen:
        file = next(iter(seen.values())).file
        raise Place(file, 1).error(
            'a cell with role="submission"', "none", "add the cell to be graded"
        )
