"""Finds the files that a scenario's processes have written beside the database."""

from __future__ import annotations

import os
from pathlib import Path

FILES_KEPT = 20


def written(folder: Path, database: Path) -> list[str]:
    """Return the names of the first files below a folder, in alphabetical order."""
    own = {Path(f"{database}{end}") for end in ("", "-wal", "-shm")}
    walked = os.walk(folder)  # what vanishes meanwhile is passed over
    paths = [Path(below, name) for below, _, names in walked for name in names]
    found = sorted(
        str(path.relative_to(folder))
        for path in paths
        if path not in own and path.parent != folder
    )
    return found[:FILES_KEPT]
