"""Writes a bundle as a folder or a zip, as one act, and the same bytes each time."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.submissions import BadInput

ARCHIVE = ".zip"
NAMED_LIMIT = 3  # files in the way that an error names
# The earliest moment that a zip can say; the real one would change with each run.
NO_TIME = (1980, 1, 1, 0, 0, 0)
ON_UNIX = 3
PLAIN, PROGRAM = 0o100644, 0o100755


@dataclass(frozen=True, slots=True)
class File:
    """The content of one file, and whether it is a program."""

    content: bytes
    program: bool = False

    @property
    def mode(self) -> int:
        """The file's type and permissions, as Unix has them."""
        return PROGRAM if self.program else PLAIN


Bundle = dict[str, File]


def write(files: Mapping[str, File], out: Path, force: bool = False) -> None:
    """Write all files to a folder or zip; when that fails, nothing has changed.

    Raises:
        BadInput: something is in the way.
        OSError: the place cannot be written to.
    """
    refuse_place(out, force)
    zipped = _is_zip(out)
    if not zipped and out.exists():
        _refuse_others(files, out)
    with tempfile.TemporaryDirectory(
        prefix=f".{out.name}-", dir=out.absolute().parent, ignore_cleanup_errors=True
    ) as scratch:
        made = Path(scratch) / out.name
        if zipped:
            _zip(files, made)
            made.chmod(0o644)
            made.replace(out)
            return
        _unpack(files, made)
        if not out.exists() or not any(out.iterdir()):
            made.replace(out)
            return
        # What the folder holds besides, its .git, stays.
        for name in files:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).replace(out / name)


def refuse_place(out: Path, force: bool) -> None:
    """Find out before any work whether something is in the way.

    Raises:
        BadInput: there is.
    """
    parent = out.absolute().parent
    if not parent.is_dir():
        raise BadInput(
            f"expected a folder to write {out.name} to, found no {out.parent}"
        )
    if not os.path.lexists(out):
        return
    if _is_zip(out) != out.is_file() or out.is_symlink():
        what = "a file" if _is_zip(out) else "a folder"
        raise BadInput(f"expected {what} or nothing at {out}, found something else")
    if not force and (_is_zip(out) or any(out.iterdir())):
        raise BadInput(f"expected nothing at {out}, found one", "--force replaces it")


def _is_zip(out: Path) -> bool:
    return out.suffix.lower() == ARCHIVE


def _refuse_others(files: Mapping[str, File], out: Path) -> None:
    others = sorted(
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if (path.is_symlink() or not path.is_dir())
        and path.relative_to(out).parts[0] != ".git"
        and path.relative_to(out).as_posix() not in files
    )
    if others:
        more = len(others) - NAMED_LIMIT
        rest = f" and {more} more" if more > 0 else ""
        raise BadInput(
            f"expected only the files of a bundle in {out}, found "
            f"{', '.join(others[:NAMED_LIMIT])}{rest}",
            "move them elsewhere, because they would be handed out, too",
        )


def _zip(files: Mapping[str, File], path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, file in sorted(files.items()):
            about = zipfile.ZipInfo(name, NO_TIME)
            about.create_system = ON_UNIX
            about.external_attr = file.mode << 16
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, file.content)


def _unpack(files: Mapping[str, File], folder: Path) -> None:
    folder.mkdir(mode=0o755)
    for name, file in sorted(files.items()):
        path = folder / PurePosixPath(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode & 0o777)
