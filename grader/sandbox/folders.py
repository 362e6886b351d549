"""Walks and removes folders that a submission has made, however deep they are.

The library's own functions go down by calling themselves, or hold each folder open on
the way; a thousand folders inside each other end the one and the other.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path


def walk(folder: str | os.PathLike[str]) -> Iterator[os.DirEntry[str]]:
    """Yield all that is below a folder, in no order; links are not followed."""
    waiting = [os.fspath(folder)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:  # what vanishes meanwhile is passed over
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def remove(folder: str | os.PathLike[str]) -> None:
    """Remove a folder and all below it; what cannot be removed stays."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.isdir(folder) and not os.path.islink(folder):
        empty(folder)
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def empty(folder: str | os.PathLike[str]) -> None:
    """Remove all that is in a folder, which no process changes any more.

    What is deep is moved up before it is looked into, so that no path is too long.
    What is mounted stays, where it is.
    """
    top, mark = os.path.abspath(folder), secrets.token_hex(4)
    waiting, moved, mounted = [top], 0, mount_points()
    above = {str(path) for point in mounted for path in Path(point).parents}
    while waiting:
        inside = waiting.pop()
        for entry in _entries(inside):
            if not entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)
                continue
            if entry.path in mounted:
                continue
            if entry.path in above:
                waiting.append(entry.path)
                continue
            moved += 1
            raised = os.path.join(top, f".{mark}-{moved}")
            with contextlib.suppress(OSError):
                os.chmod(entry.path, stat.S_IRWXU)  # it may be closed to its owner
                os.rename(entry.path, raised)
                waiting.append(raised)
        if inside != top:
            with contextlib.suppress(OSError):
                os.rmdir(inside)


def mount_points() -> set[str]:
    """Return where something is mounted, as this process sees it; on Linux."""
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return set()
    points = (line.split()[4].decode("unicode_escape") for line in lines)
    return {point.encode("latin-1").decode("utf-8", "replace") for point in points}


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return list(entries)
    return []
