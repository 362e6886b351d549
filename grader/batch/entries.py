"""Lists the files of a folder, and opens none of them before it is asked to."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from grader.submissions import FILE_LIMIT_B, BadInput, too_large

SUFFIXES = (".ipynb", ".py")
ARCHIVE = ".zip"
ENTRIES_LIMIT = 200_000
UNREAD = "unread"  # stands for the files of a folder that cannot be listed
# Copies that a system or a tool makes.
PASSED_OVER = {"__MACOSX", "__pycache__", "node_modules", "site-packages"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file; `parts` is its path below what was given, `read` returns its bytes.

    `read` raises `BadInput` where there is nothing that can be read safely.
    """

    parts: tuple[str, ...]
    source: str
    read: Callable[[], bytes]

    @property
    def path(self) -> PurePosixPath:
        """The path as one object."""
        return PurePosixPath(*self.parts)

    @property
    def is_notebook(self) -> bool:
        """Whether it is one, by its name."""
        return self.path.suffix.lower() == ".ipynb"


def refused(problem: str, help: str = "") -> Callable[[], bytes]:
    """Return a `read` that says why it does not."""

    def read() -> bytes:
        raise BadInput(problem, help)

    return read


def wanted(parts: tuple[str, ...]) -> bool:
    """Return whether a file may hold a submission, by its path."""
    folders, name = parts[:-1], parts[-1]
    if name.startswith(".") or any(
        part.startswith(".") or part in PASSED_OVER for part in folders
    ):
        return False
    return PurePosixPath(name).suffix.lower() in {*SUFFIXES, ARCHIVE}


def in_folder(folder: Path, skip: Path | None = None) -> Iterator[Entry]:
    """Yield the files below a folder that may hold a submission; links are refused.

    What is in the folder `skip` is none, however the paths to both are written.
    """
    unread: list[OSError] = []
    count, own = 0, None
    if skip is not None and skip.resolve().is_relative_to(folder.resolve()):
        own = skip.resolve().relative_to(folder.resolve())
    for where, folders, names in os.walk(folder, onerror=unread.append):
        at = Path(where)
        # Not by `Path.is_symlink`, which raises where the folder may not be entered.
        links = [name for name in folders if os.path.islink(at / name)]
        folders[:] = sorted(
            name
            for name in folders
            if name not in links
            and not name.startswith(".")
            and name not in PASSED_OVER
            and (at / name).relative_to(folder) != own
        )
        for name in sorted([*names, *links]):
            path = at / name
            parts = path.relative_to(folder).parts
            if name not in links and not wanted(parts):
                continue
            count += 1
            if count > ENTRIES_LIMIT:
                raise BadInput(
                    f"expected at most {ENTRIES_LIMIT} files in {folder}, found more",
                    "give the folder that holds the submissions, not one above it",
                )
            yield Entry(readable(parts), str(path), partial(read_file, path))
    for problem in unread:
        yield _unread(folder, Path(problem.filename or folder), problem)


def _unread(folder: Path, path: Path, problem: OSError) -> Entry:
    """Return one entry for all files of a folder that cannot be listed."""
    # A folder's name in front, so that the author is who its files would have had.
    below = path.relative_to(folder).parts or path.absolute().parts[-1:]
    return Entry(
        (*readable(below), UNREAD),
        str(path),
        refused(
            f"expected a folder that can be read, found {problem.strerror}",
            "give yourself the right to read and to enter it",
        ),
    )


def read_file(path: Path) -> bytes:
    """Return the bytes of a regular file of limited size.

    Raises:
        BadInput: it is a link, a device, too large, or cannot be read.
    """
    # A link is not followed, and a named pipe without a writer is not waited for.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    if os.path.islink(path):
        raise BadInput(
            "expected a file, found a symbolic link",
            "hand in the file that it leads to",
        )
    try:
        handle = os.open(path, flags)
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                raise BadInput("expected a file, found a folder, a pipe or a device")
            if about.st_size > FILE_LIMIT_B:
                raise too_large(about.st_size)
            data = file.read(FILE_LIMIT_B + 1)
    except OSError as problem:
        raise BadInput(
            f"expected a file that can be read, found {problem.strerror}"
        ) from None
    if len(data) > FILE_LIMIT_B:
        raise too_large(len(data))
    return data


def readable(parts: Sequence[str]) -> tuple[str, ...]:
    """Return names with the bytes that are no UTF-8 shown, so that they can be told."""
    return tuple(
        part.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        for part in parts
    )
