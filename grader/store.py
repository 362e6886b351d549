"""What a learner has done: a small file for each exercise, on this machine only."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = ".progress"


class Store:
    """Remembers facts of one exercise beside the notebooks, or in memory if it must."""

    def __init__(self, stem: str, notebook_folder: Path) -> None:
        inside = notebook_folder.name == stem
        home = notebook_folder.parent if inside else notebook_folder
        self.path = home / FOLDER / f"{stem}.json"
        self._graded = "NBGRADER_EXECUTION" in os.environ  # nobody learns there
        self._facts: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            facts = json.loads(self.path.read_text(encoding="utf-8"))
            if isinstance(facts, dict) and not self._graded:
                self._facts = facts

    def get(self, name: str) -> Any:
        """Return a fact, or None."""
        return self._facts.get(name)

    def remember(self, facts: Mapping[str, Any]) -> str:
        """Keep facts; return why they could not be written, or an empty text.

        They are written beside the file and moved into place, so that a full disk or
        a crash loses nothing that was there.
        """
        self._facts.update(facts)
        if self._graded:
            return ""
        try:
            self.path.parent.mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, suffix=".new")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(self._facts, file)
                os.replace(name, self.path)
            except OSError:
                os.unlink(name)
                raise
        except OSError as problem:
            return f"your progress could not be saved: {problem}"
        return ""
