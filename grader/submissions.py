"""Takes the submission out of a file: a module as it is, or a notebook's one cell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from grader import catalog

FILE_LIMIT_B = 16 * 1024 * 1024
MAGIC = "%%submission"
OPENED = re.compile(r"^[ \t]*%exercise[ \t]+(\w{1,64})\b", re.MULTILINE)


class BadInput(Exception):
    """A file that holds no submission: what was expected, what was found, a way out."""

    def __init__(self, problem: str, help: str = "") -> None:
        super().__init__(problem)
        self.help = help


@dataclass(frozen=True, slots=True)
class Submission:
    """One frozen attempt; `stem` is empty where the file does not say which."""

    text: str
    stem: str = ""


def read(path: Path) -> Submission:
    """Return the submission in a `.py` or `.ipynb` file.

    Raises:
        BadInput: there is no such file, or not exactly one submission in it.
    """
    try:
        size = path.stat().st_size
        if size > FILE_LIMIT_B:
            raise too_large(size)
        data = path.read_bytes()
    except OSError as problem:
        raise BadInput(
            f"expected a notebook or a module, found {problem.strerror}: {path}"
        ) from None
    return from_bytes(data, path.absolute())


def from_bytes(data: bytes, path: PurePath) -> Submission:
    """Return the submission in the content of a file; its name says what it is.

    Raises:
        BadInput: there is not exactly one submission in it.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BadInput(
            f"expected text in UTF-8, found a byte that is not at {problem.start}"
        ) from None
    if path.suffix.lower() == ".ipynb":
        return from_notebook(text)
    named = [part for part in (path.stem, *path.parts) if _is_stem(part)]
    return Submission(text, named[-1] if named else "")


def too_large(size: int) -> BadInput:
    """Return why a file of so many bytes is not read."""
    return BadInput(
        f"expected a file of at most {FILE_LIMIT_B} bytes, found {size} bytes"
    )


def from_notebook(text: str) -> Submission:
    """Return the submission in a notebook's JSON.

    It is the cell that begins with %%submission, even where that cell's type has been
    changed by mistake. Copies of it that are equal are one; where they differ, nobody
    but the learner knows which one is meant.

    Raises:
        BadInput: it is no notebook, or has no submission cell, or several that differ.
    """
    try:
        cells = json.loads(text)["cells"]
        read = [_kind_and_source(cell) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise BadInput(
            f"expected a notebook (JSON with cells), found {type(problem).__name__}: "
            f"{str(problem)[:200]}",
            "open it in JupyterLab and save it again, or take an earlier checkpoint",
        ) from None
    sources = [source for kind, source in read if kind == "code"]
    found = _submissions(sources) or _submissions(source for _, source in read)
    different = set(found)
    if len(different) != 1:
        raise BadInput(
            f"expected one cell that begins with {MAGIC}, found {len(different)}"
            f"{' that differ' if different else ''}",
            "delete all of them but the one you mean"
            if different
            else "bring the cell back from the notebook as it was released",
        )
    opened = OPENED.findall("\n".join(sources))
    lines = found[0].lstrip().split("\n")
    return Submission("\n".join(["", *lines[1:]]), opened[-1] if opened else "")


def _submissions(sources: Iterable[str]) -> list[str]:
    return [source for source in sources if source.lstrip().startswith(MAGIC)]


def _kind_and_source(cell: Any) -> tuple[str, str]:
    """Return a cell's type and text; a broken one is of no type and has no text."""
    try:
        return str(cell.get("cell_type", "")), writable(cell["source"])
    except (KeyError, TypeError, AttributeError):
        return "", ""


def writable(source: str | list[str]) -> str:
    """Return a cell's text; what JSON can hold and a file in UTF-8 cannot is a "?".

    Raises:
        TypeError: it is no text, and no list of texts.
    """
    text = source if isinstance(source, str) else "".join(source)
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_stem(name: str) -> bool:
    return name in catalog.stems()
