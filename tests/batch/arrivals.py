"""A class's files as they arrive, in a folder or a zip, and what counts of them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from grader.batch.collecting import collect, groups, that_count
from grader.batch.submitted import Submitted
from tests.batch.classroom import notebook

MIB = 1024 * 1024


def found(
    *paths: Path, otherwise: str = "", out: Path = Path("out")
) -> list[Submitted]:
    """Return what counts of the files at these paths."""
    return that_count(collect(groups(paths, out), otherwise))


def zipped(path: Path, files: dict[str, str | bytes]) -> Path:
    """Write a zip of these files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def unpacked(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write a folder of these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


BOOK = notebook("x = 1")
