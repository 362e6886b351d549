"""Finds the files that a scenario's processes have written beside the database."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from grader.harness.limits import FOLDER_FILES_LIMIT
from grader.sandbox.folders import walk

FILES_KEPT = 20


def written(folder: Path, database: Path) -> list[str]:
    """Return the names of the first files below a folder, in alphabetical order."""
    own = {Path(f"{database}{end}") for end in ("", "-wal", "-shm")}
    paths = [
        Path(entry.path)
        for entry in islice(walk(folder), FOLDER_FILES_LIMIT)
        if not entry.is_dir(follow_symlinks=False)
    ]
    found = sorted(
        str(path.relative_to(folder))
        for path in paths
        if path not in own and path.parent != folder
    )
    return found[:FILES_KEPT]
