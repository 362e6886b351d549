"""What a learner has done: a small file for each exercise, on this machine only."""

from __future__ import annotations

import itertools
import json
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = ".progress"
SIZE_LIMIT_B = 16 * 1024 * 1024
# What is kept, and of which type it must be; names that are not here are kept too.
FACTS: Mapping[str, type | tuple[type, ...]] = {
    "predictions": dict,
    "observed": bool,
    "hints": int,
    "score": (int, float),
    "proof": dict,
}


class Store:
    """Remembers facts of one exercise beside the notebooks, or in memory if it must.

    `problem` says why what was done before is not known; it is empty where it is.
    """

    def __init__(self, stem: str, notebook_folder: Path) -> None:
        self.path = home(stem, notebook_folder) / FOLDER / f"{stem}.json"
        self._graded = "NBGRADER_EXECUTION" in os.environ  # nobody learns there
        self._unsaved: dict[str, Any] = {}
        self.problem = ""
        self._read()

    def get(self, name: str) -> Any:
        """Return a fact, or None; another notebook may have written it."""
        return self._read().get(name)

    def remember(self, facts: Mapping[str, Any]) -> str:
        """Keep facts; return why they could not be written, or an empty text.

        What another notebook has written meanwhile stays. The file is written beside
        the old one and moved into place, so that a full disk or a crash loses nothing
        that was there, and one that cannot be read is moved aside, never replaced.
        """
        self._unsaved.update(facts)
        if self._graded:
            return ""
        every, said = self._read(), ""
        try:
            self.path.parent.mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, suffix=".new")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(every, file)
                if self.problem:
                    said = f"{self.problem}; it is kept as {self._moved_aside()}"
                os.replace(name, self.path)
            except OSError:
                os.unlink(name)
                raise
        except OSError as problem:
            return f"your progress could not be saved: {problem}"
        self._unsaved.clear()
        self.problem = ""
        return said

    def _read(self) -> dict[str, Any]:
        """Return all facts; a file that says nothing clear is a problem."""
        self.problem, facts = "", {}
        if not self._graded:
            try:
                facts = _facts(self.path)
            except FileNotFoundError:
                pass
            except (OSError, ValueError, RecursionError) as problem:
                found = problem.strerror if isinstance(problem, OSError) else problem
                file = f"{FOLDER}/{self.path.name}"
                self.problem = f"expected your progress in {file}, found {found}"
        return facts | self._unsaved

    def _moved_aside(self) -> str:
        """Move a file that cannot be read to a name that is free, and return that."""
        for number in itertools.count(1):
            aside = self.path.with_name(f"{self.path.name}.broken-{number}")
            if not os.path.lexists(aside):
                os.rename(self.path, aside)
                return aside.name
        raise AssertionError("unreachable: numbers have no end")


def home(stem: str, notebook_folder: Path) -> Path:
    """Return the folder of all notebooks, as seen from the folder of one of them."""
    return notebook_folder.parent if notebook_folder.name == stem else notebook_folder


def _facts(path: Path) -> dict[str, Any]:
    """Return what a file says.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not what `remember` writes.
    """
    with path.open("rb") as file:
        data = file.read(SIZE_LIMIT_B + 1)
    if len(data) > SIZE_LIMIT_B:
        raise ValueError(f"more than {SIZE_LIMIT_B} bytes")
    try:
        facts = json.loads(data.decode("utf-8"))
    except ValueError as problem:
        raise ValueError(f"no JSON ({problem})") from None
    if not isinstance(facts, dict):
        raise ValueError(f"{type(facts).__name__} in place of an object")
    for name, expected in FACTS.items():
        fact = facts.get(name)
        if fact is None:
            continue
        unlike = not isinstance(fact, expected)
        if unlike or (isinstance(fact, float) and not math.isfinite(fact)):
            raise ValueError(f"{fact!r:.60} for `{name}`")
    return facts
