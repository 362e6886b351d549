"""Folders for a while, in a shared one: each locked by its owner, or stale."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# From its first moment to its lock a folder is new; nobody needs an hour for that.
NEW = "new-"
NEW_LIMIT_S = 3600
KEPT = "grader-kept-"


class InUse(Exception):
    """Another process, which is alive, has the folder."""


def make(parent: Path, prefix: str) -> tuple[Path, int | None]:
    """Make a folder that is locked before it has a name that `stale` looks for.

    The lock is to be closed once the folder is removed; who is killed loses it too.
    """
    new = Path(tempfile.mkdtemp(prefix=NEW + prefix, dir=parent))
    held = lock(new)
    return new.rename(new.with_name(new.name.removeprefix(NEW))), held


def lock(folder: Path) -> int | None:
    """Take the folder's lock; None where there are no such locks.

    Raises:
        InUse: an owner that is alive has it.
        OSError: it is not there any more, or another user's.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise InUse(str(folder)) from None
    return held


def stale(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield each folder whose owner is gone, locked until the next is asked for."""
    for folder in (*parent.glob(f"{prefix}*"), *_never_locked(parent, prefix)):
        with contextlib.suppress(OSError, InUse):
            held = lock(folder)
            if held is not None:
                try:
                    yield folder
                finally:
                    os.close(held)


def _never_locked(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield folders whose owner ended between making and locking them."""
    for folder in parent.glob(f"{NEW}{prefix}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > NEW_LIMIT_S:
                yield folder


@contextlib.contextmanager
def kept() -> Iterator[Path]:
    """Make a folder in the usual place, and remove it at the end of the block."""
    folder, held = make(Path(tempfile.gettempdir()), KEPT)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)
